import { AsyncLocalStorage } from "node:async_hooks";
import { CallError, type OperationSpec } from "@alkdev/operations";
import { createMcpHttpHandler, type McpRegistry } from "@alkdev/operations/mcp";
import { Hono } from "hono";
import type { HubCore } from "../core/hub-core.ts";
import type { Session } from "../core/session.ts";
import { sessionOf } from "./call-request.ts";
import { errorResponse } from "./error-response.ts";
import type { HubEnv } from "./source-address.ts";

/** Options of {@link mcpRoutes}. */
export interface HubMcpOptions {
  /** Which operations are tools. Default: all that answer once. */
  readonly offers?: (spec: OperationSpec) => boolean;
  /** Told to the model. */
  readonly instructions?: string;
}

/** `/mcp`, and its end. */
export interface McpRoutes {
  readonly app: Hono<HubEnv>;
  readonly close: () => Promise<void>;
}

const VERSION = "1.0.0";

/**
 * `/mcp`: what a caller can call, as tools for MCP clients by streamable HTTP. Every request shows its key,
 * as calls do; those of spokes of its organisation are tools, too.
 */
export function mcpRoutes(core: HubCore, options: HubMcpOptions): McpRoutes {
  const sessions = new AsyncLocalStorage<Session>();
  const current = (): Session => {
    const session = sessions.getStore();
    if (session !== undefined) return session;
    throw new CallError("UNAUTHENTICATED", "the request shows no key");
  };
  const registry: McpRegistry = {
    list: () => core.specs(current()),
    execute: (operationId, input, { identity: _, ...call }) =>
      core.execute(current(), { ...call, operationId, input }),
  };
  const handler = createMcpHttpHandler({
    ...options,
    registry,
    name: "alkdev-hub",
    version: VERSION,
    maxRequestBytes: core.settings.limits.maxBodyBytes,
    // says which tools are shown; what is called the core judges by itself
    identityOf: () => core.identityOf(current()),
    onError: (error) => core.settings.onError(error, "an MCP session"),
  });
  const app = new Hono<HubEnv>();
  app.all("/mcp", async (context) => {
    try {
      const session = sessionOf(core, context);
      return await sessions.run(session, () => handler.handle(context.req.raw));
    } catch (error) {
      return errorResponse(error);
    }
  });
  return { app, close: () => handler.close() };
}
