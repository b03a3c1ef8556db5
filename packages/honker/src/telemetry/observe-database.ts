import { type Attributes, metrics, type ObservableGauge } from "@opentelemetry/api";
import type { DatabaseStats } from "../operations/stats.ts";
import { INSTRUMENTATION } from "./process-timer.ts";

/** What {@link observeDatabase} needs of a database. */
export interface ObservedDatabase {
  readonly open: boolean;
  stats(): DatabaseStats;
}

/** Options of {@link observeDatabase}. */
export interface ObserveOptions {
  /** Added to every measurement, to tell databases apart. Default none. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** One value of one instrument. */
type Measurement = readonly [instrument: string, value: number, attributes: Attributes];

/** Name, unit and meaning of each gauge. */
const GAUGES: Readonly<Record<string, { readonly unit: string; readonly description: string }>> = {
  "honker.queue.jobs": { unit: "{job}", description: "Jobs by queue and state" },
  "honker.queue.oldest_ready": { unit: "s", description: "Time the longest waiting job is due" },
  "honker.stream.events": { unit: "{event}", description: "Events kept" },
  "honker.stream.lag": { unit: "{event}", description: "Events a consumer or group has left" },
  "honker.stream.dead": { unit: "{event}", description: "Dead letters of a stream" },
  "honker.notifications": { unit: "{notification}", description: "Notifications kept" },
  "honker.locks": { unit: "{lock}", description: "Locks held" },
  "honker.schedules.overdue": { unit: "{schedule}", description: "Schedules that are due" },
  "honker.file.size": { unit: "By", description: "Size of the database file" },
  "honker.file.free": { unit: "By", description: "Empty pages in the database file" },
  "honker.file.wal": { unit: "By", description: "Size of the write-ahead log" },
};

/**
 * Reports depth, lag and size of a database to OpenTelemetry whenever its SDK collects metrics; between
 * two collections it costs nothing, and without an SDK it does nothing.
 *
 * @returns a function that stops it; a closed database reports nothing
 * @example
 * ```ts
 * const stop = observeDatabase(db, { attributes: { tenant: "acme" } });
 * ```
 */
export function observeDatabase(db: ObservedDatabase, options: ObserveOptions = {}): () => void {
  const meter = metrics.getMeter(INSTRUMENTATION);
  const gauges = new Map<string, ObservableGauge>();
  for (const [name, about] of Object.entries(GAUGES)) {
    gauges.set(name, meter.createObservableGauge(name, about));
  }
  const all = [...gauges.values()];
  const observe: Parameters<typeof meter.addBatchObservableCallback>[0] = (result) => {
    if (!db.open) return;
    for (const [name, value, attributes] of measurements(db.stats())) {
      const gauge = gauges.get(name);
      if (gauge !== undefined)
        result.observe(gauge, value, { ...options.attributes, ...attributes });
    }
  };
  meter.addBatchObservableCallback(observe, all);
  return () => meter.removeBatchObservableCallback(observe, all);
}

function* measurements(stats: DatabaseStats): Generator<Measurement> {
  for (const { queue, ready, delayed, running, dead, oldestReadySeconds } of stats.queues) {
    for (const [state, jobs] of Object.entries({ ready, delayed, running, dead })) {
      yield ["honker.queue.jobs", jobs, { queue, state }];
    }
    yield ["honker.queue.oldest_ready", oldestReadySeconds ?? 0, { queue }];
  }
  for (const { stream, events, consumers, groups, dead } of stats.streams) {
    yield ["honker.stream.events", events, { stream }];
    yield ["honker.stream.dead", dead, { stream }];
    for (const { consumer, lag } of consumers)
      yield ["honker.stream.lag", lag, { stream, consumer }];
    for (const { group, lag } of groups) yield ["honker.stream.lag", lag, { stream, group }];
  }
  yield ["honker.notifications", stats.notifications.count, {}];
  yield ["honker.locks", stats.locks.held, {}];
  yield ["honker.schedules.overdue", stats.schedules.overdue, {}];
  yield ["honker.file.size", stats.file.bytes, {}];
  yield ["honker.file.free", stats.file.freePages * stats.file.pageSize, {}];
  yield ["honker.file.wal", stats.file.walBytes, {}];
}
