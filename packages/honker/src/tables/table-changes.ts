import type { Closable } from "../core/closable.ts";
import type { Connection, SqlInput } from "../sqlite/connection.ts";
import { type StatementTables, StatementTablesReader } from "./statement-tables.ts";

/** What one commit of this process changed. */
export interface TableChange {
  /** Tables written by SQL, also through triggers and foreign key actions. */
  readonly tables: ReadonlySet<string>;
  /**
   * The engine's own tables (`_honker_*`, `_alk_*` but not `_alk_storage_*`) were written: a notification, a
   * job, a lock.
   */
  readonly engine: boolean;
  /** Other tables may have been written too: a virtual table was involved. */
  readonly more: boolean;
}

const TABLE = "table:";
const ENGINE_TABLE = /^_(honker|alk(?!_storage))_/i;

/** Topic that stands for tables whose names are not known. */
const ANY_TABLE = "table:*";

/**
 * Tells who asked which tables each commit of this process wrote. Nothing is tracked, and nothing
 * costs anything, while nobody asks.
 */
export class TableChanges {
  readonly #reader: StatementTablesReader;
  readonly #listeners = new Set<(change: TableChange) => void>();

  constructor(connection: Connection) {
    this.#reader = new StatementTablesReader(connection);
  }

  /** Whether anybody asks. */
  get tracked(): boolean {
    return this.#listeners.size > 0;
  }

  /** Calls `listener` after every commit that wrote something, until it is closed. */
  listen(listener: (change: TableChange) => void): Closable {
    // a function of its own, so that one listener can be added twice
    const entry = (change: TableChange): void => listener(change);
    const endCallbacks: (() => void)[] = [];
    this.#listeners.add(entry);
    return {
      close: () => {
        if (!this.#listeners.delete(entry)) return;
        for (const callback of endCallbacks) callback();
      },
      onEnd: (callback) => {
        if (this.#listeners.has(entry)) endCallbacks.push(callback);
        else callback();
      },
    };
  }

  tablesOf(sql: string, params: readonly SqlInput[]): StatementTables {
    return this.#reader.read(sql, params);
  }

  /** Topics of the tables that running `sql` writes. */
  topicsOf(sql: string, params: readonly SqlInput[]): readonly string[] {
    try {
      const { writes, opaque } = this.#reader.read(sql, params);
      const topics = [...writes].map((name) => TABLE + name);
      if (opaque) topics.push(ANY_TABLE);
      return topics;
    } catch {
      // the statement itself has run, or failed with an error of its own: only the answer is missing
      return [ANY_TABLE];
    }
  }

  /** Reports a commit by the topics it touched. */
  committed(touched: Iterable<string>): void {
    if (this.#listeners.size === 0) return;
    const tables = new Set<string>();
    let engine = false;
    let more = false;
    for (const topic of touched) {
      if (topic === ANY_TABLE) more = true;
      else if (topic.startsWith(TABLE)) tables.add(topic.slice(TABLE.length));
      else engine = true;
    }
    if (tables.size === 0 && !engine && !more) return;
    const change = { tables, engine, more };
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** Whether `change` can alter what a statement with these tables returns. */
export function concerns(change: TableChange, statement: StatementTables): boolean {
  if (change.more || statement.opaque) return true;
  for (const name of statement.reads) {
    if (change.tables.has(name) || (change.engine && ENGINE_TABLE.test(name))) return true;
  }
  return false;
}
