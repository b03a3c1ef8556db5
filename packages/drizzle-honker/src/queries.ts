import type { QueryPromise, SQL } from "drizzle-orm";
import type { HonkerClient } from "./client.ts";
import { countStatement, prepared } from "./drizzle-internals.ts";
import type { LiveQueryOptions, LiveResults } from "./live.ts";
import { HonkerPreparedQuery } from "./prepared-query.ts";

/** A query of the builder that was not run yet. */
export type UnrunQuery = QueryPromise<unknown>;

/** A select or relational query, or a write with `returning`; prepared or not. */
export type IterableQuery = UnrunQuery | PreparedRows;

interface PreparedRows {
  all(placeholderValues?: Record<string, unknown>): unknown;
}

/** What one row of a query is. */
export type RowOf<Q> =
  Q extends PromiseLike<infer R>
    ? RowIn<R>
    : Q extends { all(placeholderValues?: Record<string, unknown>): infer R }
      ? RowIn<R>
      : never;

/** What running a query returns. */
export type ResultOf<Q> =
  Q extends PromiseLike<infer R>
    ? R
    : Q extends { all(placeholderValues?: Record<string, unknown>): infer R }
      ? R
      : never;

type RowIn<R> = R extends readonly (infer Row)[] ? Row : NonNullable<R>;

/** Queries to be run together. */
export type BatchQueries = readonly [UnrunQuery, ...UnrunQuery[]];

/** The result of each query of a batch. */
export type BatchResults<Q extends BatchQueries> = { [K in keyof Q]: Awaited<Q[K]> };

/**
 * The `this` of `transaction()`, which refuses a callback that is async or returns a query that was not
 * run, which is a promise too: the transaction ends when the callback returns, so neither could be part
 * of it. (As the type of the callback, the same condition would make the class differ from Drizzle's.)
 */
export type SyncOnly<T, Self> = [T] extends [never]
  ? Self
  : T extends PromiseLike<unknown>
    ? "a transaction callback must not be async, nor return a query that was not run"
    : Self;

/** What `$count` offers besides awaiting it. */
export interface CountNow {
  /** The count now. */
  sync(): number;
}

/** Takes a count at once. */
export interface Counter {
  countNow(query: SQL): number;
}

/** Reads the results of a query one at a time. */
export function iterateQuery<Q extends IterableQuery>(
  query: Q,
  placeholderValues?: Record<string, unknown>,
): IterableIterator<RowOf<Q>> {
  return ready(query).iterate(placeholderValues) as IterableIterator<RowOf<Q>>;
}

/** Follows the results of a query. */
export function liveQuery<Q extends IterableQuery>(
  query: Q,
  client: HonkerClient,
  options?: LiveQueryOptions,
): LiveResults<ResultOf<Q>> {
  return ready(query).live(client, options) as LiveResults<ResultOf<Q>>;
}

function ready(query: IterableQuery): HonkerPreparedQuery {
  return query instanceof HonkerPreparedQuery ? query : prepared<HonkerPreparedQuery>(query);
}

/** Runs queries inside `transact` and returns their results in order. */
export function runBatch<Q extends BatchQueries>(
  queries: Q,
  transact: (run: () => unknown[]) => unknown[],
): BatchResults<Q> {
  const results = transact(() =>
    queries.map((query) => prepared<HonkerPreparedQuery>(query).execute().sync()),
  );
  return results as BatchResults<Q>;
}

/** Adds `sync()` to a count of Drizzle. */
export function countNow<C extends object>(count: C, counter: Counter): C & CountNow {
  return Object.assign(count, { sync: () => counter.countNow(countStatement(count)) });
}
