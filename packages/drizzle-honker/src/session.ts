import type { Transaction } from "@alkdev/honker";
import {
  entityKind,
  type Logger,
  type Query,
  type SQL,
  type TablesRelationalConfig,
} from "drizzle-orm";
import type { WithCacheConfig } from "drizzle-orm/cache/core/types";
import {
  type PreparedQueryConfig,
  type SQLiteExecuteMethod,
  SQLiteSession,
  type SQLiteTransaction,
  type SQLiteTransactionConfig,
} from "drizzle-orm/sqlite-core";
import type { HonkerStatement, RunResult } from "./client.ts";
import { isQuery, type SelectedField } from "./drizzle-internals.ts";
import { DrizzleHonkerError } from "./errors.ts";
import { HonkerPreparedQuery, type QueryContext, type RelationalMapper } from "./prepared-query.ts";
import type { SessionParts } from "./session-parts.ts";
import { HonkerSQLiteTransaction } from "./transaction.ts";

/**
 * Runs Drizzle's queries on the engine's connection. The session of a database joins whatever
 * transaction is open; that of a transaction refuses to work once the transaction has ended, where it
 * would otherwise commit by itself.
 */
export class HonkerSQLiteSession<
    TFullSchema extends Record<string, unknown> = Record<string, unknown>,
    TSchema extends TablesRelationalConfig = TablesRelationalConfig,
  >
  extends SQLiteSession<"sync", RunResult, TFullSchema, TSchema>
  implements QueryContext
{
  static override readonly [entityKind]: string = "HonkerSQLiteSession";
  readonly parts: SessionParts<TSchema>;
  readonly logger: Logger | undefined;
  readonly #transaction: Transaction | undefined;

  constructor(parts: SessionParts<TSchema>, transaction?: Transaction) {
    super(parts.dialect);
    this.parts = parts;
    this.logger = parts.logger;
    this.#transaction = transaction;
  }

  statement(sql: string): HonkerStatement {
    return this.parts.client.prepare(sql);
  }

  requireOpen(): void {
    if (this.#transaction === undefined || this.#transaction.open) return;
    throw new DrizzleHonkerError(
      "TRANSACTION_STATE",
      "this transaction has ended, so the query was not run",
      { hint: "Use tx only inside its callback, and db outside of it" },
    );
  }

  override prepareQuery(
    query: Query,
    fields: readonly SelectedField[] | undefined,
    method: SQLiteExecuteMethod,
    _arrays: boolean,
    relational?: RelationalMapper,
    _metadata?: unknown,
    cacheConfig?: WithCacheConfig,
  ): HonkerPreparedQuery<PreparedQueryConfig & { type: "sync" }> {
    this.requireOpen();
    return new HonkerPreparedQuery(this, query, { fields, relational, method, cacheConfig });
  }

  override run(query: SQL): RunResult {
    const built = this.parts.dialect.sqlToQuery(query);
    try {
      return this.prepareQuery(built, undefined, "run", false).run();
    } catch (error) {
      throw DrizzleHonkerError.ofQuery(built.sql, error);
    }
  }

  /** The first value of the first row: what `$count` asks for. */
  countNow(query: SQL): number {
    return Number(this.values(query)[0]?.[0]);
  }

  /**
   * Runs `callback` in a transaction of the engine, or in a savepoint of the one that is open, and
   * gives it a handle that lives as long.
   */
  override transaction<T>(
    callback: (tx: SQLiteTransaction<"sync", RunResult, TFullSchema, TSchema>) => T,
    config: SQLiteTransactionConfig = {},
  ): T {
    this.requireOpen();
    return this.parts.client.transaction<T>((transaction) => {
      const session = new HonkerSQLiteSession<TFullSchema, TSchema>(this.parts, transaction);
      const result = callback(new HonkerSQLiteTransaction(session, this.parts, transaction));
      // awaiting it would run it after the commit
      if (isQuery(result)) throw notRun();
      return result;
    }, config);
  }
}

function notRun(): DrizzleHonkerError {
  return new DrizzleHonkerError(
    "QUERY_NOT_RUN",
    "a transaction callback returned a query that was not run; everything it wrote was rolled back",
    { hint: "End the query with .run(), .all(), .get() or .values(), or .sync() for db.query" },
  );
}
