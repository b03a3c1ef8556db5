import { Hono } from "hono";
import type { HubCore } from "../core/hub-core.ts";
import type { HubMetrics } from "./metrics.ts";
import type { HubEnv } from "./source-address.ts";

/** Milliseconds for which a look at the files stands: nobody needs a key to ask. */
const LOOK_MS = 1_000;

/** What {@link healthRoutes} tells of. */
export interface HealthRoutesOptions {
  readonly core: HubCore;
  /** Null: there is no `/metrics`. */
  readonly metrics: HubMetrics | null;
  /** Whether the hub takes calls; not while it drains. */
  readonly isReady: () => boolean;
}

/**
 * `GET /healthz`: the process answers. `GET /readyz`: it takes calls and its files can be written; 503
 * where not. `GET /metrics`: counters in the text format of Prometheus. All three need no key and name no
 * tenant.
 */
export function healthRoutes({ core, metrics, isReady }: HealthRoutesOptions): Hono<HubEnv> {
  const app = new Hono<HubEnv>();
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  let look: { readonly problem: string | null; readonly atMs: number } | null = null;
  app.get("/readyz", (context) => {
    if (look === null || performance.now() - look.atMs > LOOK_MS) {
      look = { problem: isReady() ? fileProblem(core) : null, atMs: performance.now() };
    }
    const problem = isReady() ? look.problem : "the hub is closing";
    if (problem === null) return context.json({ status: "ready" });
    return context.json({ status: "unavailable", problem }, 503);
  });
  if (metrics !== null) {
    app.get("/metrics", async (context) => {
      const { contentType, text } = await metrics.scrape();
      return context.body(text, 200, { "content-type": contentType });
    });
  }
  return app;
}

/** Why `system.db` cannot be used now; null where it can. Takes the write lock and gives it back. */
function fileProblem({ system, settings }: HubCore): string | null {
  try {
    system.$client.transaction(() => undefined, { behavior: "immediate" });
    return null;
  } catch (error) {
    settings.onError(error, "asked whether it is ready");
    return "system.db cannot be written";
  }
}
