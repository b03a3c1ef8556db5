import { HonkerError } from "@alkdev/honker";
import type { Logger, Query } from "drizzle-orm";
import { entityKind } from "drizzle-orm";
import type { WithCacheConfig } from "drizzle-orm/cache/core/types";
import {
  type PreparedQueryConfig,
  type SQLiteExecuteMethod,
  SQLitePreparedQuery,
} from "drizzle-orm/sqlite-core";
import type { HonkerClient, HonkerStatement, RunResult } from "./client.ts";
import { notNullTables, type SelectedField } from "./drizzle-internals.ts";
import { type LiveQueryOptions, type LiveResults, liveResults } from "./live.ts";
import { Placeholders } from "./placeholders.ts";
import type { QueryCache } from "./query-cache.ts";
import { RowMapper } from "./row-mapper.ts";
import { unsafeInteger } from "./row-plan.ts";
import { BuiltQuery } from "./sql-writer.ts";

type Params = Parameters<HonkerStatement["rows"]>[0];

/** Maps the rows of a relational query, JSON included; given by Drizzle's builder. */
export type RelationalMapper = (rows: unknown[][]) => unknown;

/** What a query is run with. */
export interface QueryContext {
  /** Absent when nothing is logged. */
  readonly logger: Logger | undefined;
  /** Finds the statement. @throws `CLOSED`, or `TRANSACTION_STATE` when its transaction has ended */
  statement(sql: string): HonkerStatement;
  /** Throws when the query must not run any more. */
  requireOpen(): void;
}

/** How the rows of a query become results. */
export interface ResultShape {
  /** Selected fields, in select order; absent for raw SQL and for relational queries. */
  readonly fields: readonly SelectedField[] | undefined;
  /** Set for relational queries. */
  readonly relational: RelationalMapper | undefined;
  /** What `$withCache()` said. */
  readonly cacheConfig?: WithCacheConfig | undefined;
  /** What `execute()` and awaiting the query do. */
  readonly method: SQLiteExecuteMethod;
}

/** A query of Drizzle over one prepared statement of the engine. */
export class HonkerPreparedQuery<
  T extends PreparedQueryConfig = PreparedQueryConfig,
> extends SQLitePreparedQuery<T & { type: "sync" }> {
  static override readonly [entityKind]: string = "HonkerPreparedQuery";
  readonly #context: QueryContext;
  readonly #shape: ResultShape;
  readonly #statement: HonkerStatement;
  readonly #placeholders: Placeholders | undefined;
  readonly #exactRelations: boolean;
  #mapper: RowMapper | undefined;

  constructor(context: QueryContext, query: Query, shape: ResultShape) {
    super("sync", shape.method, query);
    this.#context = context;
    this.#shape = shape;
    this.#statement = context.statement(query.sql);
    const { placeholders, exactIntegers } = BuiltQuery.traits(query);
    this.#placeholders = placeholders ? new Placeholders(query.params) : undefined;
    this.#exactRelations = exactIntegers;
  }

  /** Runs the query for its effect. */
  run(placeholderValues?: Record<string, unknown>): T["run"] & RunResult {
    const params = this.#start(placeholderValues);
    return this.#statement.run(params) as T["run"] & RunResult;
  }

  all(placeholderValues?: Record<string, unknown>): T["all"] {
    const params = this.#start(placeholderValues);
    const { fields, relational } = this.#shape;
    if (fields === undefined && relational === undefined) return this.#statement.objects(params);
    return this.#mapAll(this.#rows(params));
  }

  get(placeholderValues?: Record<string, unknown>): T["get"] {
    const params = this.#start(placeholderValues);
    const { fields, relational } = this.#shape;
    const row = this.#row(params);
    if (row === undefined) return undefined;
    if (fields === undefined && relational === undefined) return toObject(this.#names(), row);
    return relational === undefined ? this.#map.row(row) : relational([row]);
  }

  /** Positional rows as SQLite gives them. */
  values(placeholderValues?: Record<string, unknown>): T["values"] {
    return this.#statement.rows(this.#start(placeholderValues));
  }

  /** Results one at a time; see `db.iterate()`. */
  *iterate(placeholderValues?: Record<string, unknown>): IterableIterator<unknown> {
    const params = this.#start(placeholderValues);
    const { fields, relational } = this.#shape;
    if (fields === undefined && relational === undefined) {
      const names = this.#names();
      for (const row of this.#statement.iterate(params)) yield toObject(names, row);
      return;
    }
    for (const row of this.#statement.iterate(params, this.#integers)) {
      if (relational === undefined) yield this.#map.row(row);
      else yield single(relational([row]));
    }
  }

  /** Results now and after every commit that changed them; see `db.live()`. */
  live(client: HonkerClient, options: LiveQueryOptions = {}): LiveResults<unknown> {
    const params = this.#start(options.placeholderValues);
    const { signal } = options;
    const rows = client.live(this.query.sql, params, {
      integers: this.#integers,
      ...(signal === undefined ? {} : { signal }),
    });
    return liveResults(rows, (found) => this.#mapAll(found));
  }

  /** Results from `cache`, where it has them. */
  async cached(cache: QueryCache): Promise<unknown> {
    const params = this.#start(undefined);
    const { sql } = this.query;
    const { cacheConfig: config } = this.#shape;
    return this.#mapAll(
      await cache.rows({ sql, params: params ?? [], config, rows: () => this.#rows(params) }),
    );
  }

  /** @internal Drizzle asks this of queries in a batch. */
  isResponseInArrayMode(): boolean {
    return this.#shape.fields !== undefined || this.#shape.relational !== undefined;
  }

  #start(values: Record<string, unknown> | undefined): Params {
    this.#context.requireOpen();
    const { sql, params } = this.query;
    const bound = this.#placeholders?.fill(values) ?? params;
    this.#context.logger?.logQuery(sql, bound);
    return bound as Params;
  }

  /** Made on first use: the builder says only after preparing which tables may have no row. */
  get #map(): RowMapper {
    this.#mapper ??= new RowMapper(this.#shape.fields ?? [], notNullTables(this));
    return this.#mapper;
  }

  get #integers(): "number" | "bigint" {
    const exact = this.#shape.fields === undefined ? this.#exactRelations : this.#map.exactIntegers;
    return exact ? "bigint" : "number";
  }

  #mapAll(rows: unknown[][]): unknown {
    const { fields, relational } = this.#shape;
    if (relational !== undefined) return relational(rows);
    return fields === undefined ? rows : this.#map.rows(rows);
  }

  /** Column names of raw SQL. @throws `DUPLICATE_COLUMN` */
  #names(): readonly string[] {
    const names = this.#statement.columns().map(({ name }) => name);
    const repeated = names.find((name, index) => names.indexOf(name) !== index);
    if (repeated === undefined) return names;
    throw new HonkerError(
      "DUPLICATE_COLUMN",
      `the statement returns more than one column named "${repeated}", which an object cannot hold`,
      { hint: "Give one an alias, or use values()", details: { column: repeated } },
    );
  }

  #row(params: Params): unknown[] | undefined {
    try {
      return this.#statement.row(params, this.#integers);
    } catch (error) {
      throw explained(error);
    }
  }

  #rows(params: Params): unknown[][] {
    try {
      return this.#statement.rows(params, this.#integers);
    } catch (error) {
      throw explained(error);
    }
  }
}

function toObject(names: readonly string[], row: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name, index) => [name, row[index]]));
}

/** Relational queries return one object for `findFirst` and an array for `findMany`. */
function single(result: unknown): unknown {
  return Array.isArray(result) ? result[0] : result;
}

/** The engine tells how to read exact integers with its own API; users of Drizzle declare a column. */
function explained(error: unknown): unknown {
  if (!(error instanceof HonkerError) || error.code !== "UNSAFE_INTEGER") return error;
  const { column, approximately } = error.details;
  return unsafeInteger(String(column), `about ${String(approximately)}`, error);
}
