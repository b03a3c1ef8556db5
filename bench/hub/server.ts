// One of the servers, in a process of its own: hub, trpc or hono. Prints its address and key.
import { mkdtempSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { startHub, tenantOf } from "@alkdev/hub";
import {
  createAccount,
  createApiKey,
  createOrganization,
  createSystemDatabase,
  createTenantManager,
} from "@alkdev/storage/sqlite";
import { getRequestListener } from "@hono/node-server";
import { Type } from "@sinclair/typebox";
import { Hono } from "hono";
import { KEY, type Notes, openNotes } from "./notes.ts";

const [kind = "", base = ""] = process.argv.slice(2);
const folder = mkdtempSync(join(base, "bench-hub-"));

async function hub(): Promise<{ url: string; key: string }> {
  const system = createSystemDatabase(open(join(folder, "system.db")));
  const tenants = createTenantManager({ folder: join(folder, "tenants"), system });
  createAccount(system, { id: "ada", email: "ada@example.com" });
  createOrganization(system, { id: "acme", name: "Acme", slug: "acme", ownerId: "ada" });
  const { key } = createApiKey(system, { ownerId: "ada" });
  tenants.create("acme");
  tenants.close();
  system.$client.close();
  const notesOf = new WeakMap<object, Notes>();
  const notes = (context: Parameters<typeof tenantOf>[0]): Notes => {
    const { $client: db } = tenantOf(context);
    const known = notesOf.get(db) ?? openNotes(db);
    notesOf.set(db, known);
    return known;
  };
  const common = { namespace: "notes", version: "1.0.0", description: "A note." } as const;
  const started = await startHub({
    dataFolder: folder,
    port: 0,
    auth: { keyLimit: null },
    workers: false,
    operations: {
      tenant: [
        {
          atomic: true,
          operation: {
            ...common,
            name: "add",
            type: "mutation",
            inputSchema: Type.Object({ text: Type.String() }),
            outputSchema: Type.Object({ id: Type.Integer() }),
            accessControl: { requiredScopes: ["nodes:write"] },
            handler: ({ text }: { text: string }, context) => notes(context).add(text),
          },
        },
        {
          operation: {
            ...common,
            name: "get",
            type: "query",
            inputSchema: Type.Object({ id: Type.Integer() }),
            outputSchema: Type.Object({ id: Type.Integer(), text: Type.String() }),
            accessControl: { requiredScopes: ["nodes:read"] },
            handler: ({ id }: { id: number }, context) => notes(context).get(id),
          },
        },
        {
          operation: {
            ...common,
            name: "ticks",
            type: "subscription",
            inputSchema: Type.Object({ everyMs: Type.Integer() }),
            outputSchema: Type.Number(),
            accessControl: { requiredScopes: ["nodes:read"] },
            handler: async function* ({ everyMs }: { everyMs: number }, { signal }) {
              while (!signal.aborted) {
                await new Promise((resolve) => setTimeout(resolve, everyMs));
                yield Date.now();
              }
            },
          },
        },
      ],
    },
  });
  return { url: started.url, key };
}

async function listen(app: Hono): Promise<string> {
  const server = createServer(getRequestListener(app.fetch));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A handler that somebody who knows what they need has written by hand. */
async function hono(): Promise<{ url: string; key: string }> {
  const notes = openNotes(open(join(folder, "notes.db")));
  const app = new Hono();
  app.use(async (context, next) => {
    if (notes.knows(context.req.header("authorization"))) return next();
    return context.json({ error: "unauthenticated" }, 401);
  });
  app.post("/call/notes.add", async (context) => {
    const { text } = await context.req.json();
    if (typeof text !== "string") return context.json({ error: "text" }, 400);
    return context.json({ data: notes.add(text) });
  });
  app.post("/call/notes.get", async (context) => {
    const { id } = await context.req.json();
    if (!Number.isInteger(id)) return context.json({ error: "id" }, 400);
    return context.json({ data: notes.get(id) });
  });
  return { url: await listen(app), key: KEY };
}

/** What `trpc/server.ts` exports; peers are installed apart. */
interface TrpcServer {
  serveTrpc(notes: Notes): Promise<string>;
}

async function trpc(): Promise<{ url: string; key: string }> {
  const peer = new URL("../trpc/server.ts", import.meta.url).href;
  const { serveTrpc } = (await import(peer)) as TrpcServer;
  return { url: await serveTrpc(openNotes(open(join(folder, "notes.db")))), key: KEY };
}

const servers: Record<string, () => Promise<{ url: string; key: string }>> = { hub, hono, trpc };
const start = servers[kind];
if (start === undefined) throw new Error(`there is no server "${kind}"`);
process.send?.(await start());
process.once("disconnect", () => process.exit());
