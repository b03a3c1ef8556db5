import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener, RequestError } from "@hono/node-server";
import { createHubCore, type HubCore } from "./core/hub-core.ts";
import type { HubOptions } from "./core/hub-options.ts";
import { HubError } from "./errors.ts";
import { createApp } from "./http/app.ts";
import type { HubMcpOptions, McpRoutes } from "./http/mcp-routes.ts";
import { createHubMetrics } from "./http/metrics.ts";
import { recheckSessions } from "./socket/recheck-sessions.ts";
import { createUpgrade } from "./socket/upgrade.ts";
import { type HubWorkersOptions, startHubWorkers } from "./workers/hub-workers.ts";

/** Options of {@link startHub}. */
export interface StartHubOptions extends HubOptions {
  /** Address to listen on, default `127.0.0.1`. Put a proxy that speaks TLS in front for others. */
  readonly host?: string;
  /** Default 4300; 0: any that is free. */
  readonly port?: number;
  /** Whether `X-Forwarded-For` is believed: only behind a proxy that sets it. Default false. */
  readonly trustProxy?: boolean;
  /** Origins whose pages may call, `["https://app.example.com"]`. Default: none. */
  readonly corsOrigins?: readonly string[];
  /** Whether `/metrics` is served, default true. */
  readonly metrics?: boolean;
  /**
   * `/mcp`, which offers operations as tools to MCP clients. Needs the package `@modelcontextprotocol/sdk`.
   * Default: none.
   */
  readonly mcp?: HubMcpOptions;
  /**
   * Workers of the queues and schedules of `system.db` and of all tenants in this process. Default: with
   * their own defaults; false: they run elsewhere, by `alkdev workers`.
   */
  readonly workers?: HubWorkersOptions | false;
  /** Milliseconds that calls may take to end when the hub stops, default 10,000. */
  readonly drainMs?: number;
}

/** A hub that listens. */
export interface Hub extends AsyncDisposable {
  readonly core: HubCore;
  /** `http://127.0.0.1:4300`. */
  readonly url: string;
  /**
   * Takes no more calls, waits for those that run, ends connections and workers, and closes every file.
   * Always resolves; idempotent.
   */
  stop(): Promise<void>;
}

/**
 * Starts a hub: its files, workers, and HTTP and WebSocket on one port.
 *
 * @throws HubError `INVALID_ARGUMENT`, `CANNOT_LISTEN`; what opening `system.db` throws
 * @example
 * ```ts
 * await using hub = await startHub({ dataFolder: "./data" });
 * console.log(hub.url);
 * ```
 */
export async function startHub(options: StartHubOptions): Promise<Hub> {
  const { host = "127.0.0.1", port = 4_300, drainMs = 10_000, trustProxy = false } = options;
  const core = createHubCore(options);
  const { limits, onError } = core.settings;
  const metrics = options.metrics === false ? null : createHubMetrics(core);
  let stopping: Promise<void> | undefined;
  const isReady = (): boolean => stopping === undefined;
  const mcp = options.mcp === undefined ? null : await loadMcp(core, options.mcp);
  const app = createApp({
    core,
    mcp,
    metrics,
    isReady,
    trustProxy,
    corsOrigins: options.corsOrigins ?? [],
  });
  const upgrade = createUpgrade({
    core,
    trustProxy,
    isReady,
    onRefused: (code) => metrics?.refused(code),
    onCutOff: (reason) => metrics?.cutOff(reason),
  });
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, 5_000),
      // a client that offers another protocol may go on without it
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    },
    getRequestListener(app.fetch, {
      errorHandler: (error) => {
        if (error instanceof RequestError) return new Response(null, { status: 400 });
        onError(error, "an HTTP request");
        return new Response(null, { status: 500 });
      },
    }),
  );
  server.maxConnections = limits.maxConnections;
  // for answers that nobody reads: nothing moves for longer than any call or silence may last
  server.setTimeout(limits.requestTimeoutMs + Math.max(limits.callTimeoutMs, limits.heartbeatMs));
  server.on("upgrade", upgrade.handle);
  const workers = options.workers === false ? null : startHubWorkers(core, options.workers);
  try {
    await listen(server, { host, port });
  } catch (error) {
    await workers?.stop();
    metrics?.close();
    await core.close();
    throw error;
  }
  server.on("error", (error) => onError(error, "taking a connection"));
  const rechecks = setInterval(() => recheckSessions(core), limits.heartbeatMs);
  rechecks.unref();
  const stop = async (): Promise<void> => {
    clearInterval(rechecks);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    upgrade.close();
    await workers?.stop();
    await core.drain(drainMs);
    await mcp?.close();
    await core.close();
    server.closeAllConnections();
    await closed;
    metrics?.close();
  };
  const { address, port: bound, family } = server.address() as AddressInfo;
  const named = family === "IPv6" ? `[${address}]` : address;
  const stopOnce = (): Promise<void> => {
    stopping ??= stop().catch((error: unknown) => onError(error, "stopping the hub"));
    return stopping;
  };
  return { core, url: `http://${named}:${bound}`, stop: stopOnce, [Symbol.asyncDispose]: stopOnce };
}

/** Only where it is asked for: the library of the protocol is large, and need not be there. */
async function loadMcp(core: HubCore, options: HubMcpOptions): Promise<McpRoutes> {
  try {
    const { mcpRoutes } = await import("./http/mcp-routes.ts");
    return mcpRoutes(core, options);
  } catch (error) {
    await core.close();
    throw new HubError("INVALID_ARGUMENT", `/mcp cannot be served: ${(error as Error).message}`, {
      cause: error,
      hint: "npm install @modelcontextprotocol/sdk",
    });
  }
}

function listen(
  server: Server,
  at: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      reject(
        new HubError("CANNOT_LISTEN", `cannot listen on ${at.host}:${at.port}: ${error.message}`, {
          cause: error,
          hint:
            error.code === "EADDRINUSE"
              ? "Another program uses the port; choose another one"
              : "Check the address",
          details: { ...at, code: error.code },
        }),
      );
    };
    server.once("error", onError);
    server.listen(at.port, at.host, () => {
      server.off("error", onError);
      resolve();
    });
  });
}
