import type { Peer } from "./peer.ts";

/** What a metric must reach to be called met; several: all of them. */
export interface Goal {
  /** At least this many times as good as the best of `against`. */
  readonly ratio?: number;
  /** Names of peers, as `--peers` takes them; absent: every peer of the table. */
  readonly against?: readonly string[];
  /** Only against peers that keep a commit as well as ours does. */
  readonly equalDurability?: true;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Metric {
  /** What is measured, in a few words. */
  readonly title: string;
  readonly unit: string;
  readonly better: "more" | "less";
  readonly goal?: Goal;
  /** The goal where every commit is flushed to disk; absent: the ratio of `goal` without its bounds. */
  readonly flushedGoal?: Goal;
  /** Not to be compared with other peers: no ratio is taken of it. */
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

interface Question {
  readonly name: string;
  /** The question, with the sizes. */
  readonly question: string;
  readonly metrics: Readonly<Record<string, Metric>>;
  takesPart(peer: Peer): boolean;
}

/** A bench whose measurements begin with nothing. */
export interface OneGoBench extends Question {
  /** Measures one peer once. Runs in a fresh process. */
  run(peer: Peer, options: RunOptions): Promise<Measures>;
}

/** A bench that needs a store which takes long to fill: filled once and measured in every round. */
export interface StagedBench extends Question {
  /** Names of the states of the store, in order. */
  readonly stages: readonly string[];
  /** Runs in a process of its own, which lives until the last stage is measured. */
  open(peer: Peer, options: RunOptions): Promise<Session>;
}

/** One peer's store. Stages are numbered from 0. */
export interface Session {
  /** Brings the store to the stage. */
  prepare(stage: number): Promise<void>;
  /** Measures it there and leaves it there. Called once per round, from 0. */
  measure(stage: number, round: number): Promise<Measures>;
  close(): Promise<void>;
}

/** One question, asked of several peers. */
export type Bench = OneGoBench | StagedBench;

/** Operations per second since `seconds`. */
export function rate(n: number, seconds: number): Measure {
  return { value: n / seconds, n };
}
