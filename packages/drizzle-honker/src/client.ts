import type { Database, PreparedSql, Transaction, TransactionOptions } from "@alkdev/honker";

/** A statement as the driver runs it. */
export type HonkerStatement = Pick<
  PreparedSql,
  "columns" | "iterate" | "objects" | "returnsRows" | "row" | "rows" | "run"
>;

/**
 * What the driver needs of an engine. `Database` of `@alkdev/honker` is one; anything else of this
 * shape, such as a wrapper that counts statements, works too.
 */
export interface HonkerClient
  extends Pick<Database, "inTransaction" | "live" | "onCommit" | "open" | "path" | "tablesOf"> {
  prepare(sql: string): HonkerStatement;
  transaction<T>(work: (tx: Transaction) => T, options?: TransactionOptions): T;
}

/** What a write changed. */
export type { RunResult } from "@alkdev/honker";
