import type { BaseSQLiteDatabase } from "drizzle-orm/sqlite-core";
import type { schema } from "./driver-schema.ts";
import type { Closable, Maybe } from "./peer.ts";

/** A Drizzle database whose queries may be synchronous or promises: the bench awaits only the latter. */
// biome-ignore lint/suspicious/noExplicitAny: the kinds of drivers have no common type but this
export type AnyDrizzle = BaseSQLiteDatabase<any, unknown, typeof schema>;

export interface OpenDriver extends Closable {
  readonly db: AnyDrizzle;
  /** Runs a script of several statements. */
  script(sql: string): Maybe<unknown>;
}

/** The same SQL without Drizzle: rows as arrays. */
export interface OpenRaw extends Closable {
  script(sql: string): Maybe<unknown>;
  rows(sql: string): (...params: readonly unknown[]) => unknown[][];
  run(sql: string): (...params: readonly unknown[]) => unknown;
}

export interface DriverPeer {
  readonly sync: boolean;
  open?(file: string): Maybe<OpenDriver>;
  openRaw?(file: string): OpenRaw;
}
