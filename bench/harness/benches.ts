import { claimDepth } from "../benches/claim-depth.ts";
import { driver } from "../benches/driver.ts";
import { idle } from "../benches/idle.ts";
import { memory } from "../benches/memory.ts";
import { outbox } from "../benches/outbox.ts";
import { queueEnqueue } from "../benches/queue-enqueue.ts";
import { queueLatency } from "../benches/queue-latency.ts";
import { queueThroughput } from "../benches/queue-throughput.ts";
import { stream } from "../benches/stream.ts";
import { wake } from "../benches/wake.ts";
import type { Bench } from "./bench.ts";

/** In the order they run and are printed. */
export const benches: readonly Bench[] = [
  driver,
  queueEnqueue,
  queueThroughput,
  claimDepth,
  queueLatency,
  wake,
  stream,
  outbox,
  idle,
  memory,
];

/** @throws when there is no such bench */
export function benchByName(name: string): Bench {
  const bench = benches.find((candidate) => candidate.name === name);
  if (bench === undefined) {
    throw new Error(`no bench "${name}"; there are ${benches.map((b) => b.name).join(", ")}`);
  }
  return bench;
}
