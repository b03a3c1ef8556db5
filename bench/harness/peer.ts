import type { Context } from "./context.ts";
import type { DriverPeer } from "./driver-peer.ts";
import type { Payload } from "./payload.ts";
import type { ServerName } from "./servers.ts";

/**
 * What a commit survives: `memory` nothing, `system` the death of any process of ours but perhaps not
 * a power cut, `disk` a power cut too (flushed before the call returns).
 */
export type Durability = "memory" | "system" | "disk";

/** A call that returns a promise, or has done its work when it returns. */
export type Maybe<T> = T | Promise<T>;

export interface Closable {
  close(): Maybe<unknown>;
}

export type Handler = (payload: Payload) => Maybe<void>;

export interface Producer extends Closable {
  /** The calls have done their work when they return, so they cannot be in flight. */
  readonly sync: boolean;
  add(payload: Payload): unknown;
  /** All of them in the peer's own bulk call or one transaction. */
  addMany(payloads: readonly Payload[]): unknown;
}

/** Takes one job and completes it, without a worker loop. */
export interface Claimer extends Closable {
  readonly sync: boolean;
  /** @returns whether there was a job */
  claimAndAck(): Maybe<boolean>;
}

export interface WorkerOptions {
  readonly concurrency: number;
  readonly handler: Handler;
}

export interface QueuePeer {
  prepare(context: Context): Maybe<void>;
  producer(context: Context): Maybe<Producer>;
  /** Runs in a process of its own. */
  worker(context: Context, options: WorkerOptions): Maybe<Closable>;
  claimer?(context: Context): Maybe<Claimer>;
}

export interface Channel extends Closable {
  publish(payload: Payload): unknown;
  subscribe(handler: (payload: Payload) => void): Maybe<void>;
}

export interface PubSubPeer {
  prepare(context: Context): Maybe<void>;
  connect(context: Context): Maybe<Channel>;
  /** There is no other process to reach. */
  readonly sameProcessOnly?: boolean;
}

export interface Log extends Closable {
  readonly sync: boolean;
  append(payload: Payload): unknown;
  appendMany(payloads: readonly Payload[]): unknown;
  /** Up to `limit` messages after the saved offset, which is saved again before the call returns. */
  read(limit: number): Maybe<readonly Payload[]>;
}

export interface StreamPeer {
  prepare(context: Context): Maybe<void>;
  connect(context: Context): Maybe<Log>;
  /** Runs in a process of its own. */
  follow(context: Context, handler: (payload: Payload) => void): Maybe<Closable>;
}

export interface OutboxWriter extends Closable {
  readonly sync: boolean;
  /** One business row and one job. */
  write(payload: Payload): unknown;
  /** Does the first part of a write and ends this process with SIGKILL at `point`. */
  crash(seq: number, point: string): Maybe<void>;
}

export interface OutboxPeer {
  readonly crashPoints: readonly string[];
  prepare(context: Context): Maybe<void>;
  writer(context: Context): Maybe<OutboxWriter>;
  worker(context: Context, options: WorkerOptions): Maybe<Closable>;
  /** The sequence numbers that exist as a row and as a job. */
  audit(context: Context): Maybe<{ rows: number[]; jobs: number[] }>;
}

/** One system in one configuration. */
export interface Peer {
  readonly id: string;
  /** Versions and every option that matters. */
  readonly settings: string;
  readonly durability: Durability;
  /** What {@link durability} is made of here. */
  readonly durabilityNote: string;
  /** The system under test, not a peer of it. */
  readonly ours?: true;
  /** A lower bound of the machine rather than something a user would pick; no ratio is taken of it. */
  readonly floor?: true;
  readonly needs?: readonly ServerName[];
  /** Takes part in these benches only; absent: in all it has the parts for. */
  readonly only?: readonly string[];
  /** At most this many jobs in `queue-throughput`: it is too slow for the usual number. */
  readonly maxJobs?: number;
  readonly queue?: QueuePeer;
  readonly pubsub?: PubSubPeer;
  readonly stream?: StreamPeer;
  readonly outbox?: OutboxPeer;
  readonly driver?: DriverPeer;
  /** Opens `count` files in the folder with one listener each. */
  readonly openMany?: (folder: string, count: number) => Maybe<OpenMany>;
  /** Commits to file `index` of the folder so that its listener wakes. Called in another process. */
  readonly commitTo?: (folder: string, index: number) => void;
}

export interface OpenMany extends Closable {
  /** Resolves at the next wake of the listener of file `index`, with when that was. */
  woken(index: number): Promise<number>;
}
