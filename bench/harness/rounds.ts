import type { Bench, Measure } from "./bench.ts";
import { msSince, now } from "./clock.ts";
import { quiet } from "./machine.ts";
import { measureInChild } from "./measure.ts";
import type { Peer } from "./peer.ts";
import { median, significant } from "./statistics.ts";

/** One metric of one peer over all rounds. */
export interface Row {
  readonly peer: string;
  readonly metric: string;
  /** Median of `values`. */
  readonly value: number;
  readonly values: readonly number[];
  /** Operations behind each value. */
  readonly n: number;
}

export interface BenchResult {
  readonly bench: string;
  readonly rows: readonly Row[];
  /** Share of the machine that was idle just before each measurement, least first. */
  readonly idleBefore: readonly number[];
  readonly failures: readonly { readonly peer: string; readonly error: string }[];
}

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
  bench: Bench,
  peers: readonly Peer[],
  options: RoundsOptions,
): Promise<BenchResult> {
  const measured = new Map<string, { peer: string; metric: string; all: Measure[] }>();
  const failures: { peer: string; error: string }[] = [];
  const idleBefore: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    for (const peer of rotated(peers, round)) {
      const idle = await quiet(options.quietMs);
      idleBefore.push(idle);
      const start = now();
      try {
        const measures = await measureInChild({
          bench: bench.name,
          peer: peer.id,
          options: { quick: options.quick, round },
        });
        for (const [metric, measure] of Object.entries(measures)) {
          const key = `${peer.id} ${metric}`;
          const entry = measured.get(key) ?? { peer: peer.id, metric, all: [] };
          entry.all.push(measure);
          measured.set(key, entry);
        }
        const values = Object.entries(measures).map(
          ([k, { value }]) => `${k}=${significant(value)}`,
        );
        const took = (msSince(start) / 1000).toFixed(1);
        options.progress(
          `${bench.name} ${round + 1}/${options.rounds} ${peer.id} ${took} s, idle before ${idle}: ${values.join(" ")}`,
        );
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        failures.push({ peer: peer.id, error: text.split("\n").slice(0, 3).join(" ") });
        options.progress(`${bench.name} ${round + 1}/${options.rounds} ${peer.id} FAILED: ${text}`);
      }
    }
  }
  return {
    bench: bench.name,
    rows: [...measured.values()].map(({ peer, metric, all }) => row(peer, metric, all)),
    idleBefore: idleBefore.sort((a, b) => a - b),
    failures,
  };
}

function row(peer: string, metric: string, all: readonly Measure[]): Row {
  const values = all.map(({ value }) => significant(value));
  return { peer, metric, value: significant(median(values)), values, n: all[0]?.n ?? 0 };
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
