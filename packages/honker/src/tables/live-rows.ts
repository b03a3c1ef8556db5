import type { Core } from "../core/core.ts";
import { polledSequence, type Sequence } from "../core/polled-sequence.ts";
import { HonkerError } from "../errors.ts";
import type { SqlInput, SqlValue } from "../sqlite/connection.ts";
import { positionalRows, type QueryOptions } from "../sqlite/query.ts";
import { concerns, type TableChanges } from "./table-changes.ts";

/** Options of `live()`. */
export interface LiveOptions extends QueryOptions {
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

/** What {@link liveRows} runs. */
export interface LiveStatement {
  readonly sql: string;
  readonly params: readonly SqlInput[];
}

let created = 0;

/**
 * The rows of a query now and after every commit that changed them. Local commits are matched by
 * table; a commit of another process is known to have happened, not what it wrote, so the query is
 * run and its rows are compared. Rows equal to the last ones are not given again, and a slow reader
 * gets the newest rows, not every state in between.
 */
export function liveRows(
  core: Core,
  changes: TableChanges,
  { sql, params }: LiveStatement,
  options: LiveOptions = {},
): Sequence<SqlValue[][]> {
  if (!core.prepareAsIs(sql).readonly) {
    throw new HonkerError(
      "INVALID_ARGUMENT",
      "a live query must only read, or it would run for ever",
      {
        hint: "Pass a SELECT",
        details: { sql },
      },
    );
  }
  created += 1;
  const topic = `live:${created}`;
  let tables = changes.tablesOf(sql, params);
  let version = core.connection.dataVersion();
  let stale = true;
  let last: SqlValue[][] | undefined;
  const waiter = core.wake.waiter(topic);
  const listening = changes.listen((change) => {
    if (!concerns(change, tables)) return;
    stale = true;
    core.wake.wake(topic);
  });
  return polledSequence({
    waiter,
    signal: options.signal,
    onClose: () => listening.close(),
    poll: () => {
      const now = core.connection.dataVersion();
      if (!stale && now === version) return undefined;
      stale = false;
      version = now;
      tables = changes.tablesOf(sql, params);
      const rows = positionalRows(core.prepareAsIs(sql), params, options);
      if (last !== undefined && sameRows(last, rows)) return undefined;
      last = rows;
      return rows;
    },
  });
}

function sameRows(a: readonly SqlValue[][], b: readonly SqlValue[][]): boolean {
  return a.length === b.length && a.every((row, index) => sameRow(row, b[index] as SqlValue[]));
}

function sameRow(a: readonly SqlValue[], b: readonly SqlValue[]): boolean {
  return a.length === b.length && a.every((value, index) => same(value, b[index] as SqlValue));
}

function same(a: SqlValue, b: SqlValue): boolean {
  if (a === b) return true;
  if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return false;
  return Buffer.compare(a, b) === 0;
}
