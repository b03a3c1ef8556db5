import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { CallReport } from "../core/call-reports.ts";
import type { HubCore } from "../core/hub-core.ts";

/** Seconds; a call in the same process takes less than a millisecond. */
const BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Counters of a hub in the text format of Prometheus. */
export interface HubMetrics {
  readonly scrape: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Counts a request that nobody was let in with. */
  readonly refused: (code: string) => void;
  /** Counts a connection that was ended for a fault of its client. */
  readonly cutOff: (reason: string) => void;
  readonly close: () => void;
}

/** Counts what the core reports, from now on. */
export function createHubMetrics(core: HubCore): HubMetrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });
  const calls = new Counter({
    name: "alkdev_calls_total",
    help: "Calls that ended, by operation, realm and code; ok for answers.",
    labelNames: ["operation", "realm", "code"],
    registers,
  });
  const durations = new Histogram({
    name: "alkdev_call_duration_seconds",
    help: "Seconds from the call to its end, subscriptions left out.",
    labelNames: ["operation"],
    buckets: BUCKETS,
    registers,
  });
  const refusals = new Counter({
    name: "alkdev_refused_total",
    help: "Requests and connections that nobody was let in with, by code.",
    labelNames: ["code"],
    registers,
  });
  const cutOffs = new Counter({
    name: "alkdev_websockets_cut_off_total",
    help: "WebSocket connections ended for a fault of their client: slow, malformed, session.",
    labelNames: ["reason"],
    registers,
  });
  const gauges: readonly [name: string, help: string, read: () => number][] = [
    ["alkdev_open_tenants", "Tenants that are in use at this hub.", () => core.runtimes.size],
    ["alkdev_open_files", "Tenant files that are open.", () => core.tenants.openFiles.open],
    ["alkdev_websockets", "WebSocket connections.", () => core.connections],
    ["alkdev_subscriptions", "Subscriptions that run.", () => core.subscriptions],
  ];
  for (const [name, help, read] of gauges) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }
  const stop = core.onCall(({ operationId, realm, code, type, seconds }: CallReport) => {
    calls.inc({ operation: operationId, realm, code });
    if (type !== "subscription") durations.observe({ operation: operationId }, seconds);
  });
  return {
    scrape: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    refused: (code) => refusals.inc({ code }),
    cutOff: (reason) => cutOffs.inc({ reason }),
    close: () => {
      stop();
      registry.clear();
    },
  };
}
