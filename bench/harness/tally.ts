import type { Measure, Measures } from "./bench.ts";
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

/** Collects what the measurements of one bench gave. */
export class Tally {
  readonly #measured = new Map<string, { peer: string; metric: string; all: Measure[] }>();
  readonly #failures: { peer: string; error: string }[] = [];
  readonly #idleBefore: number[] = [];

  add(peer: string, measures: Measures, idle: number): void {
    this.#idleBefore.push(idle);
    for (const [metric, measure] of Object.entries(measures)) {
      const key = `${peer} ${metric}`;
      const entry = this.#measured.get(key) ?? { peer, metric, all: [] };
      entry.all.push(measure);
      this.#measured.set(key, entry);
    }
  }

  /** @returns the error's text */
  fail(peer: string, error: unknown): string {
    const text = error instanceof Error ? error.message : String(error);
    this.#failures.push({ peer, error: text.split("\n").slice(0, 3).join(" ") });
    return text;
  }

  result(bench: string): BenchResult {
    return {
      bench,
      rows: [...this.#measured.values()].map(({ peer, metric, all }) => row(peer, metric, all)),
      idleBefore: this.#idleBefore.sort((a, b) => a - b),
      failures: this.#failures,
    };
  }
}

function row(peer: string, metric: string, all: readonly Measure[]): Row {
  const values = all.map(({ value }) => significant(value));
  return { peer, metric, value: significant(median(values)), values, n: all[0]?.n ?? 0 };
}

/** `a=1 b=2`, for the progress line. */
export function measuresText(measures: Measures): string {
  return Object.entries(measures)
    .map(([name, { value }]) => `${name}=${significant(value)}`)
    .join(" ");
}
