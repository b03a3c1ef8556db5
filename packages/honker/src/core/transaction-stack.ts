import { HonkerError } from "../errors.ts";
import type { Connection, Row, RunResult, SqlInput } from "../sqlite/connection.ts";
import type { QueryOptions } from "../sqlite/query.ts";
import { closedError } from "../sqlite/sqlite-errors.ts";
import type {
  SyncCallback,
  Transaction,
  TransactionBehavior,
  TransactionOptions,
} from "./transaction.ts";

/** What a transaction handle does through the database it belongs to. */
export interface TransactionHost {
  query(sql: string, params: readonly SqlInput[], options?: QueryOptions): Row[];
  execute(sql: string, params: readonly SqlInput[]): RunResult;
  rows(sql: string, params: readonly SqlInput[], options?: QueryOptions): unknown[][];
  notify(channel: string, payload: unknown): number;
  /** Called once after each outermost commit with what it touched. */
  committed(touched: ReadonlySet<string>): void;
  /** Called when no transaction is open any more, after a commit and after a rollback. */
  idle(): void;
  onError(error: unknown, context: string): void;
}

/** The open transaction and its savepoints, innermost last. */
export class TransactionStack {
  readonly #connection: Connection;
  readonly #host: TransactionHost;
  readonly #frames: Frame[] = [];

  constructor(connection: Connection, host: TransactionHost) {
    this.#connection = connection;
    this.#host = host;
  }

  /** Whether a transaction is open. */
  get active(): boolean {
    return this.#frames.length > 0;
  }

  /** The innermost open handle. */
  get current(): Transaction | undefined {
    return this.#frames.at(-1)?.handle;
  }

  /** Whether `handle` is one of the open ones. */
  owns(handle: Transaction): boolean {
    return this.#frames.some((frame) => frame.handle === handle);
  }

  /** Remembers `topic` for the commit; false when no transaction is open. */
  touch(topic: string): boolean {
    const frame = this.#frames.at(-1);
    if (frame === undefined) return false;
    frame.touched.add(topic);
    return true;
  }

  run<T>(work: (tx: Transaction) => T, options: TransactionOptions = {}): T {
    const frame = this.#begin(options.behavior);
    let result: T;
    try {
      result = work(frame.handle);
      if (isThenable(result)) {
        // its rejection has nobody left to tell: the transaction is already refused
        result.then(undefined, () => undefined);
        throw new HonkerError(
          "ASYNC_TRANSACTION",
          "a transaction callback returned a promise; everything it wrote was rolled back",
          { hint: "Do async work before the transaction and write its result inside it" },
        );
      }
      if (frame.handle.open) this.commit(frame);
      else if (!this.#connection.open) throw closedError(this.#connection.path);
    } catch (error) {
      if (frame.handle.open) this.#abandon(frame);
      throw error;
    }
    return result;
  }

  begin(options: TransactionOptions = {}): Transaction {
    return this.#begin(options.behavior).handle;
  }

  commit(frame: Frame): void {
    this.#requireTop(frame, "commit");
    try {
      this.#connection.prepare(frame.depth === 0 ? "COMMIT" : `RELEASE alk_${frame.depth}`).run([]);
    } catch (error) {
      // a COMMIT refused by a deferred foreign key leaves the transaction open
      this.#abandon(frame);
      throw error;
    }
    this.#frames.pop();
    frame.handle.end();
    const parent = this.#frames.at(-1);
    if (parent !== undefined) {
      for (const topic of frame.touched) parent.touched.add(topic);
      parent.hooks.push(...frame.hooks);
      return;
    }
    this.#host.committed(frame.touched);
    this.#host.idle();
    for (const hook of frame.hooks) {
      try {
        hook();
      } catch (error) {
        this.#host.onError(error, "afterCommit");
      }
    }
  }

  rollback(frame: Frame): void {
    this.#requireTop(frame, "rollback");
    this.#abandon(frame);
  }

  /** Rolls everything back; used when the database closes. */
  abandonAll(): void {
    const outermost = this.#frames[0];
    if (outermost !== undefined) this.#abandon(outermost);
  }

  #begin(behavior: TransactionBehavior = "immediate"): Frame {
    const depth = this.#frames.length;
    if (depth > 0 && !this.#connection.inTransaction) this.#dropLostFrames();
    const sql =
      this.#frames.length === 0 ? `BEGIN ${behavior.toUpperCase()}` : `SAVEPOINT alk_${depth}`;
    this.#connection.prepare(sql).run([]);
    const frame = new Frame(this, this.#host, this.#frames.length);
    this.#frames.push(frame);
    return frame;
  }

  /** Rolls back `frame` and everything opened inside it. */
  #abandon(frame: Frame): void {
    const index = this.#frames.indexOf(frame);
    if (index < 0) return;
    for (const dropped of this.#frames.splice(index)) dropped.handle.end();
    // SQLite may have rolled back by itself: disk full, I/O error, out of memory
    if (!this.#connection.inTransaction) {
      this.#dropLostFrames();
      return;
    }
    if (frame.depth === 0) {
      this.#connection.prepare("ROLLBACK").run([]);
      this.#host.idle();
      return;
    }
    this.#connection.prepare(`ROLLBACK TO alk_${frame.depth}`).run([]);
    this.#connection.prepare(`RELEASE alk_${frame.depth}`).run([]);
  }

  #dropLostFrames(): void {
    for (const lost of this.#frames.splice(0)) lost.handle.end();
    this.#host.idle();
  }

  #requireTop(frame: Frame, action: string): void {
    if (this.#frames.at(-1) === frame) return;
    const inner = this.#frames.includes(frame);
    throw new HonkerError(
      "TRANSACTION_STATE",
      inner
        ? `cannot ${action} a transaction while a transaction inside it is still open`
        : `cannot ${action} a transaction that has already ended`,
      { hint: inner ? "Commit or roll back the inner one first" : "Start a new transaction" },
    );
  }
}

class Frame {
  readonly depth: number;
  readonly handle: TransactionHandle;
  readonly touched: Set<string> = new Set();
  readonly hooks: (() => void)[] = [];

  constructor(stack: TransactionStack, host: TransactionHost, depth: number) {
    this.depth = depth;
    this.handle = new TransactionHandle(stack, host, this);
  }
}

class TransactionHandle implements Transaction {
  readonly depth: number;
  readonly #stack: TransactionStack;
  readonly #host: TransactionHost;
  readonly #frame: Frame;
  #open = true;

  constructor(stack: TransactionStack, host: TransactionHost, frame: Frame) {
    this.#stack = stack;
    this.#host = host;
    this.#frame = frame;
    this.depth = frame.depth;
  }

  get open(): boolean {
    return this.#open;
  }

  end(): void {
    this.#open = false;
  }

  query<R extends object = Row>(
    sql: string,
    params: readonly SqlInput[] = [],
    options?: QueryOptions,
  ): R[] {
    this.#requireOpen();
    return this.#host.query(sql, params, options) as R[];
  }

  execute(sql: string, params: readonly SqlInput[] = []): RunResult {
    this.#requireOpen();
    return this.#host.execute(sql, params);
  }

  rows(sql: string, params: readonly SqlInput[] = [], options?: QueryOptions): unknown[][] {
    this.#requireOpen();
    return this.#host.rows(sql, params, options);
  }

  notify(channel: string, payload: unknown = null): number {
    this.#requireOpen();
    return this.#host.notify(channel, payload);
  }

  transaction<T>(work: SyncCallback<Transaction, T>): T {
    this.#requireOpen();
    return this.#stack.run(work as (tx: Transaction) => T);
  }

  afterCommit(hook: () => void): void {
    this.#requireOpen();
    this.#frame.hooks.push(hook);
  }

  commit(): void {
    this.#requireOpen();
    this.#stack.commit(this.#frame);
  }

  rollback(): void {
    this.#requireOpen();
    this.#stack.rollback(this.#frame);
  }

  [Symbol.dispose](): void {
    if (this.#open) this.#stack.rollback(this.#frame);
  }

  #requireOpen(): void {
    if (this.#open) return;
    throw new HonkerError("TRANSACTION_STATE", "this transaction has ended", {
      hint: "Use the handle only inside its callback, or start a new transaction",
    });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === "object" || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function"
  );
}
