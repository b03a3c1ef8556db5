import type { Transaction } from "@alkdev/honker";
import {
  type ExtractTablesWithRelations,
  entityKind,
  type TablesRelationalConfig,
} from "drizzle-orm";
import { type SQLiteSession, SQLiteTransaction } from "drizzle-orm/sqlite-core";
import type { RunResult } from "./client.ts";
import type { BatchQueries, BatchResults, Counter, IterableQuery, RowOf } from "./queries.ts";
import { type CountNow, countNow, iterateQuery, runBatch, type SyncOnly } from "./queries.ts";
import type { SessionParts } from "./session-parts.ts";

/**
 * Drizzle inside a transaction. Use it only in the callback that got it: afterwards every call throws
 * `TRANSACTION_STATE`.
 */
export class HonkerSQLiteTransaction<
  TFullSchema extends Record<string, unknown> = Record<string, never>,
  TSchema extends TablesRelationalConfig = ExtractTablesWithRelations<TFullSchema>,
> extends SQLiteTransaction<"sync", RunResult, TFullSchema, TSchema> {
  static override readonly [entityKind]: string = "HonkerSQLiteTransaction";
  /**
   * The engine's transaction: `notify`, `afterCommit`, and what queues and streams ask for in
   * `enqueueTx` and `publishTx`. It commits or rolls back together with everything done through Drizzle.
   */
  readonly $honkerTx: Transaction;
  readonly #session: SQLiteSession<"sync", RunResult, TFullSchema, TSchema> & Counter;

  /** @internal Use `db.transaction()`. */
  constructor(
    session: SQLiteSession<"sync", RunResult, TFullSchema, TSchema> & Counter,
    parts: SessionParts<TSchema>,
    transaction: Transaction,
  ) {
    const { dialect, schema } = parts;
    super("sync", dialect, session, schema as never, transaction.depth);
    this.$honkerTx = transaction;
    this.#session = session;
  }

  /**
   * A savepoint: what `callback` wrote is undone alone when it throws.
   *
   * @throws `ASYNC_TRANSACTION`, `QUERY_NOT_RUN`
   */
  override transaction<T>(
    this: SyncOnly<T, this>,
    callback: (tx: HonkerSQLiteTransaction<TFullSchema, TSchema>) => T,
  ): T {
    const self = this as HonkerSQLiteTransaction<TFullSchema, TSchema>;
    return self.#session.transaction(callback as never);
  }

  /** As {@link HonkerSQLiteDatabase.iterate}. */
  iterate<Q extends IterableQuery>(
    query: Q,
    placeholderValues?: Record<string, unknown>,
  ): IterableIterator<RowOf<Q>> {
    return iterateQuery(query, placeholderValues);
  }

  /** As {@link HonkerSQLiteDatabase.batch}, in a savepoint. */
  batch<Q extends BatchQueries>(queries: Q): BatchResults<Q> {
    return runBatch(queries, (run) => this.#session.transaction(run));
  }

  /** Drizzle's count, which is awaited or put into a query; `.sync()` takes it at once. */
  override $count(
    ...args: Parameters<SQLiteTransaction<"sync", RunResult, TFullSchema, TSchema>["$count"]>
  ): ReturnType<SQLiteTransaction<"sync", RunResult, TFullSchema, TSchema>["$count"]> & CountNow {
    return countNow(super.$count(...args), this.#session);
  }
}
