import type { HttpBindings } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import type { MiddlewareHandler } from "hono";

/** What the hub's routes know of every request. */
export interface HubEnv {
  Bindings: HttpBindings;
  Variables: {
    /** Address of the client. */
    source: string;
    /** Code with which it was not let in. */
    refused?: string;
  };
}

/**
 * Finds out where requests come from: the peer of the connection, or, behind a proxy that is trusted, the
 * last address that it added to `X-Forwarded-For`.
 */
export function sourceAddress(trustProxy: boolean): MiddlewareHandler<HubEnv> {
  return async (context, next) => {
    const forwarded = trustProxy ? lastForwarded(context.req.header("x-forwarded-for")) : null;
    context.set("source", forwarded ?? getConnInfo(context).remote.address ?? "unknown");
    await next();
  };
}

/** The last address of the header, which the nearest proxy wrote. */
export function lastForwarded(header: string | undefined): string | null {
  const last = header?.split(",").at(-1)?.trim();
  return last === undefined || last === "" ? null : last;
}
