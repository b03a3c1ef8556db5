import type { OneGoBench } from "./bench.ts";
import { msSince, now } from "./clock.ts";
import { quiet } from "./machine.ts";
import { measureInChild } from "./measure.ts";
import type { Peer } from "./peer.ts";
import { type BenchResult, measuresText, Tally } from "./tally.ts";

export interface RoundsOptions {
  readonly rounds: number;
  readonly quick: boolean;
  /** Longest wait for a quiet machine before a measurement. */
  readonly quietMs: number;
  progress(line: string): void;
}

/**
 * Measures every peer once per round, one after another, each round starting with another peer: drift
 * of the machine hits all of them alike.
 */
export async function runRounds(
  bench: OneGoBench,
  peers: readonly Peer[],
  options: RoundsOptions,
): Promise<BenchResult> {
  const tally = new Tally();
  for (let round = 0; round < options.rounds; round++) {
    for (const { id } of rotated(peers, round)) {
      const what = `${bench.name} ${round + 1}/${options.rounds} ${id}`;
      const idle = await quiet(options.quietMs);
      const start = now();
      try {
        const measures = await measureInChild({
          bench: bench.name,
          peer: id,
          options: { quick: options.quick, round },
        });
        tally.add(id, measures, idle);
        const took = (msSince(start) / 1000).toFixed(1);
        options.progress(`${what} ${took} s, idle before ${idle}: ${measuresText(measures)}`);
      } catch (error) {
        options.progress(`${what} FAILED: ${tally.fail(id, error)}`);
      }
    }
  }
  return tally.result(bench.name);
}

/** `items`, starting with the one at `by`. */
export function rotated<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
