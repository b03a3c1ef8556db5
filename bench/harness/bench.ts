import type { Peer } from "./peer.ts";

/** What a metric must reach to be called met; several: all of them. */
export interface Goal {
  /** At least this many times as good as the best peer of the table, or as `against`. */
  readonly ratio?: number;
  /** The id of one peer to take the ratio of, instead of the best. */
  readonly against?: string;
  readonly atLeast?: number;
  /** At least this where commits are not flushed one by one; a flush has a price of its own. */
  readonly unflushedAtLeast?: number;
  readonly atMost?: number;
}

export interface Metric {
  /** What is measured, in a few words. */
  readonly title: string;
  readonly unit: string;
  readonly better: "more" | "less";
  readonly goal?: Goal;
  /** A fact to look at beside the others; no ratio is taken of it. */
  readonly aside?: true;
}

/** One measured value and over how many operations. */
export interface Measure {
  readonly value: number;
  readonly n: number;
}

export type Measures = Readonly<Record<string, Measure>>;

export interface RunOptions {
  /** A smoke run: small sizes, numbers that mean nothing. */
  readonly quick: boolean;
  /** Which round it is, from 0. */
  readonly round: number;
}

/** One question, asked of several peers. */
export interface Bench {
  readonly name: string;
  /** The question, with the sizes. */
  readonly question: string;
  readonly metrics: Readonly<Record<string, Metric>>;
  takesPart(peer: Peer): boolean;
  /** Measures one peer once. Runs in a fresh process. */
  run(peer: Peer, options: RunOptions): Promise<Measures>;
}

/** Operations per second since `seconds`. */
export function rate(n: number, seconds: number): Measure {
  return { value: n / seconds, n };
}
