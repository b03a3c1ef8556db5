// tRPC on Hono and on ws, over the same notes.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { initTRPC, TRPCError } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { Hono } from "hono";
import { WebSocketServer } from "ws";
import { z } from "zod";
import type { Notes } from "../hub/notes.ts";

export async function serveTrpc(notes: Notes): Promise<string> {
  const t = initTRPC.context<{ authorization: string | undefined }>().create();
  const known = t.procedure.use(({ ctx, next }) => {
    if (!notes.knows(ctx.authorization)) throw new TRPCError({ code: "UNAUTHORIZED" });
    return next();
  });
  const router = t.router({
    add: known
      .input(z.object({ text: z.string() }))
      .output(z.object({ id: z.number().int() }))
      .mutation(({ input }) => notes.add(input.text)),
    get: known
      .input(z.object({ id: z.number().int() }))
      .output(z.object({ id: z.number().int(), text: z.string() }).nullable())
      .query(({ input }) => notes.get(input.id)),
  });
  const app = new Hono();
  app.use("/trpc/*", (context) =>
    fetchRequestHandler({
      endpoint: "/trpc",
      req: context.req.raw,
      router,
      createContext: ({ req }) => ({
        authorization: req.headers.get("authorization") ?? undefined,
      }),
    }),
  );
  const server = createServer(getRequestListener(app.fetch));
  applyWSSHandler({
    wss: new WebSocketServer({ server }),
    router,
    createContext: ({ req }) => ({ authorization: req.headers.authorization }),
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
