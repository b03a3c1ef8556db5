import {
  type ExtractTablesWithRelations,
  entityKind,
  type TablesRelationalConfig,
} from "drizzle-orm";
import { BaseSQLiteDatabase, type SQLiteTransactionConfig } from "drizzle-orm/sqlite-core";
import type { HonkerClient, RunResult } from "./client.ts";
import { cacheSelects, prepared } from "./drizzle-internals.ts";
import type { LiveQueryOptions, LiveResults } from "./live.ts";
import type { HonkerPreparedQuery } from "./prepared-query.ts";
import type { BatchQueries, BatchResults, IterableQuery, RowOf } from "./queries.ts";
import {
  type CountNow,
  countNow,
  iterateQuery,
  liveQuery,
  type ResultOf,
  runBatch,
  type SyncOnly,
} from "./queries.ts";
import type { HonkerSQLiteSession } from "./session.ts";
import type { HonkerSQLiteTransaction } from "./transaction.ts";

/**
 * Drizzle on a Honker database. Everything is synchronous: `.run()`, `.all()`, `.get()` and
 * `.values()` return results, and awaiting a query works too.
 */
export class HonkerSQLiteDatabase<
  TFullSchema extends Record<string, unknown> = Record<string, never>,
  TClient extends HonkerClient = HonkerClient,
  TSchema extends TablesRelationalConfig = ExtractTablesWithRelations<TFullSchema>,
> extends BaseSQLiteDatabase<"sync", RunResult, TFullSchema, TSchema> {
  static override readonly [entityKind]: string = "HonkerSQLiteDatabase";
  /** The engine: notifications, streams, queues, locks and schedules on the same connection. */
  readonly $client: TClient;
  readonly #session: HonkerSQLiteSession<TFullSchema, TSchema>;

  /** @internal Use {@link drizzle}. */
  constructor(client: TClient, session: HonkerSQLiteSession<TFullSchema, TSchema>) {
    const { dialect, schema } = session.parts;
    super("sync", dialect, session, schema as never);
    this.$client = client;
    this.#session = session;
    const { cache } = session.parts;
    if (cache === undefined) return;
    this.$cache = { invalidate: (mutation) => cache.invalidate(mutation) };
    cacheSelects(this, (query) => prepared<HonkerPreparedQuery>(query).cached(cache));
  }

  /**
   * Runs `callback` in a transaction that commits when it returns and rolls back when it throws. Called
   * inside one it is a savepoint. Writes through `db` made meanwhile belong to it.
   *
   * @throws `ASYNC_TRANSACTION` when it returns a promise, `QUERY_NOT_RUN` when it returns a query,
   * `BUSY` when another process keeps the write lock
   * @example
   * ```ts
   * db.transaction((tx) => {
   *   tx.insert(orders).values({ id: "o-1" }).run();
   *   tx.$honkerTx.notify("orders:created", { id: "o-1" });
   * });
   * ```
   */
  override transaction<T>(
    this: SyncOnly<T, this>,
    callback: (tx: HonkerSQLiteTransaction<TFullSchema, TSchema>) => T,
    config?: SQLiteTransactionConfig,
  ): T {
    const self = this as HonkerSQLiteDatabase<TFullSchema, TClient, TSchema>;
    return self.#session.transaction(callback as never, config);
  }

  /**
   * The rows of a query, prepared or not, one at a time, for results too large for memory. Until the iteration ends the
   * connection cannot write: `ITERATING`.
   *
   * @example
   * ```ts
   * for (const user of db.iterate(db.select().from(users))) process.stdout.write(user.name);
   * ```
   */
  iterate<Q extends IterableQuery>(
    query: Q,
    placeholderValues?: Record<string, unknown>,
  ): IterableIterator<RowOf<Q>> {
    return iterateQuery(query, placeholderValues);
  }

  /**
   * Runs queries in one transaction: all of them or none. Returns their results in order.
   *
   * @example
   * ```ts
   * const [, all] = db.batch([db.insert(users).values({ name: "Ada" }), db.select().from(users)]);
   * ```
   */
  batch<const Q extends BatchQueries>(queries: Q): BatchResults<Q> {
    return runBatch(queries, (run) => this.#session.transaction(run));
  }

  /**
   * The results of a query, now and again after each commit, here or in another process, that changed
   * them. Commits of this process are matched by the tables they wrote, also through raw SQL, triggers
   * and cascades; those of others by running the query and comparing. A reader slower than the commits
   * gets the newest results only. Works on selects and on `db.query`.
   *
   * @throws `INVALID_ARGUMENT` for a query that writes
   * @example
   * ```ts
   * for await (const open of db.live(db.select().from(tasks).where(eq(tasks.done, false)), { signal })) {
   *   render(open);
   * }
   * ```
   */
  live<Q extends IterableQuery>(query: Q, options?: LiveQueryOptions): LiveResults<ResultOf<Q>> {
    return liveQuery(query, this.$client, options);
  }

  /** Drizzle's count, which is awaited or put into a query; `.sync()` takes it at once. */
  override $count(
    ...args: Parameters<BaseSQLiteDatabase<"sync", RunResult, TFullSchema, TSchema>["$count"]>
  ): ReturnType<BaseSQLiteDatabase<"sync", RunResult, TFullSchema, TSchema>["$count"]> & CountNow {
    return countNow(super.$count(...args), this.#session);
  }
}
