import type { Connection, Statement } from "../sqlite/connection.ts";
import type { WakeBus } from "../wake/wake.ts";
import type { Clock } from "./clock.ts";
import type { Transaction, TransactionOptions } from "./transaction.ts";

/** Called with errors of background work that has no caller to throw to. */
export type ErrorHandler = (error: unknown, context: string) => void;

/**
 * What the parts of the engine (notifications, streams, queues, locks, schedules) share of one open
 * file. Internal: users hold a {@link Database}.
 */
export interface Core {
  readonly path: string;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly wake: WakeBus;
  readonly onError: ErrorHandler;
  /** Whether the loaded extension offers Honker's SQL functions; its tables exist either way. */
  readonly hasExtension: boolean;
  readonly closed: boolean;
  /** Cached prepared statement of the engine. @throws `CLOSED` */
  prepare(sql: string): Statement;
  /** Cached prepared statement of a user, whose text is not touched. @throws `CLOSED` */
  prepareAsIs(sql: string): Statement;
  /** Milliseconds since 1970, from the injected clock. */
  nowMs(): number;
  /** Whole seconds since 1970, the unit of Honker's columns. */
  nowSeconds(): number;
  /**
   * Runs `work` in a transaction, or in a savepoint of the one that is open. Everything it wrote is
   * undone when it throws.
   */
  transaction<T>(work: (tx: Transaction) => T, options?: TransactionOptions): T;
  /** Whether `tx` is open and one of this file's. */
  owns(tx: Transaction): boolean;
  /**
   * Says that rows belonging to `topic` were written. Its waiters are woken when the transaction
   * commits, at once outside of one, never when it is rolled back.
   */
  touch(topic: string): void;
}

/** Topic of the waiters of a channel, stream, queue and so on. */
export const topics: {
  readonly channel: (name: string) => string;
  readonly stream: (name: string) => string;
  readonly queue: (name: string) => string;
  readonly lock: (name: string) => string;
  readonly schedule: string;
  readonly result: (jobId: number) => string;
  readonly table: (name: string) => string;
} = {
  channel: (name) => `channel:${name}`,
  stream: (name) => `stream:${name}`,
  queue: (name) => `queue:${name}`,
  lock: (name) => `lock:${name}`,
  schedule: "schedule",
  result: (jobId) => `result:${jobId}`,
  table: (name) => `table:${name}`,
};
