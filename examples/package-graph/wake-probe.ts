import type { Database } from "@alkdev/honker";
import { monotonicMs } from "./names.ts";

const PING = "package-graph:ping";
const PONG = "package-graph:pong";
/** An answer that takes longer is none: the other process is being started again. */
const GIVE_UP_AFTER_MS = 1_000;

interface Probe {
  /** Just before the commit; see {@link monotonicMs}. */
  readonly committingAt: number;
}

/** Answers the probes of another process until `signal` aborts. */
export async function answerProbes(client: Database, signal: AbortSignal): Promise<void> {
  for await (const { payload } of client.listen<Probe>(PING, { signal })) {
    const waitedMs = monotonicMs() - payload.committingAt;
    client.notify(PONG, { waitedMs, committingAt: monotonicMs() });
  }
}

/**
 * How long a commit takes to reach a listener that waits for it in another process, in milliseconds:
 * two samples per round, one in each direction. Fewer when the other process dies meanwhile.
 */
export async function probeWakes(client: Database, rounds: number): Promise<number[]> {
  await using answers = client.listen<Probe & { readonly waitedMs: number }>(PONG);
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const timer = setTimeout(() => answers.close(), GIVE_UP_AFTER_MS);
    client.notify(PING, { committingAt: monotonicMs() });
    const { value } = await answers.next();
    clearTimeout(timer);
    if (value === undefined) break;
    samples.push(value.payload.waitedMs, monotonicMs() - value.payload.committingAt);
  }
  return samples;
}
