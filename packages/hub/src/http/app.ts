import { CallError } from "@alkdev/operations";
import { Hono } from "hono";
import { cors } from "hono/cors";
import type { HubCore } from "../core/hub-core.ts";
import { authRoutes } from "./auth-routes.ts";
import { refuseLargeBodies } from "./body-text.ts";
import { callRoutes } from "./call-routes.ts";
import { errorResponse } from "./error-response.ts";
import { healthRoutes } from "./health-routes.ts";
import type { McpRoutes } from "./mcp-routes.ts";
import type { HubMetrics } from "./metrics.ts";
import { openApiRoutes } from "./openapi-routes.ts";
import { type HubEnv, sourceAddress } from "./source-address.ts";

/** Options of {@link createApp}. */
export interface AppOptions {
  readonly core: HubCore;
  readonly metrics: HubMetrics | null;
  readonly isReady: () => boolean;
  readonly trustProxy: boolean;
  /** Origins whose pages may call; none by default. */
  readonly corsOrigins: readonly string[];
  /** Null: there is no `/mcp`. */
  readonly mcp: McpRoutes | null;
}

/** Every route of the hub but the WebSocket. */
export function createApp(options: AppOptions): Hono<HubEnv> {
  const { core, metrics, corsOrigins } = options;
  const { maxBodyBytes } = core.settings.limits;
  const app = new Hono<HubEnv>();
  app.use(sourceAddress(options.trustProxy));
  if (corsOrigins.length > 0) app.use(cors({ origin: [...corsOrigins] }));
  app.use(
    refuseLargeBodies(maxBodyBytes, (error) => {
      metrics?.refused(error.code);
      return errorResponse(error);
    }),
  );
  app.use(async (context, next) => {
    await next();
    const { refused } = context.var;
    if (refused !== undefined) metrics?.refused(refused);
  });
  app.route("/", healthRoutes(options));
  app.route("/", callRoutes(core));
  app.route("/", authRoutes(core));
  app.route("/", openApiRoutes(core));
  if (options.mcp !== null) app.route("/", options.mcp.app);
  app.notFound((context) =>
    errorResponse(
      new CallError("NOT_FOUND", `there is no ${context.req.method} ${context.req.path}`),
      {
        status: 404,
      },
    ),
  );
  app.onError((error) => {
    core.settings.onError(error, "an HTTP request");
    return errorResponse(error);
  });
  return app;
}
