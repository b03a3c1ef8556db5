import type { Connection, SqlInput } from "../sqlite/connection.ts";

/** The tables a statement reads and writes, also through triggers, cascades, views and indexes. */
export interface StatementTables {
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
  /** Other tables may be involved: a virtual one, or a statement that changes the schema. */
  readonly opaque: boolean;
}

const ROOT_PAGES = "SELECT rootpage, tbl_name FROM sqlite_schema WHERE rootpage > 0";
const VIRTUAL = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND rootpage = 0";
const SCHEMA_VERSION = "PRAGMA schema_version";

/** Statements whose program can be listed; explaining another could run it, or fail after it has run. */
const EXPLAINABLE = /^\s*(select|insert|update|delete|replace|with|values)\b/i;
const PRAGMA = /^\s*pragma\b/i;

/** How many distinct statements are remembered. */
const REMEMBERED = 1_000;
/** The flag of `p5` that says that `p2` is a register, not a root page. */
const P2_IS_REGISTER = 0x10;

/**
 * Finds out which tables a statement touches by asking SQLite: the program that EXPLAIN lists opens
 * each b-tree by its root page, and `sqlite_schema` names the table a root page belongs to
 * (https://www.sqlite.org/opcode.html). Answers are remembered until the schema changes.
 */
export class StatementTablesReader {
  readonly #connection: Connection;
  readonly #known = new Map<string, StatementTables>();
  #schemaVersion = -1;
  #roots: ReadonlyMap<unknown, string> = new Map();
  #virtual = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** `params` must fit the statement; their values do not matter. */
  read(sql: string, params: readonly SqlInput[]): StatementTables {
    this.#refresh();
    const known = this.#known.get(sql);
    if (known !== undefined) return known;
    const tables = this.#explain(sql, params);
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(sql, tables);
    return tables;
  }

  #refresh(): void {
    const version = Number(this.#connection.prepare(SCHEMA_VERSION).row([])?.[0]);
    if (version === this.#schemaVersion) return;
    this.#known.clear();
    this.#roots = new Map(
      this.#connection
        .prepare(ROOT_PAGES)
        .rows([])
        .map(([page, name]) => [page, String(name)]),
    ).set(1, "sqlite_schema");
    this.#virtual = Number(this.#connection.prepare(VIRTUAL).row([])?.[0]) > 0;
    this.#schemaVersion = version;
  }

  #explain(sql: string, params: readonly SqlInput[]): StatementTables {
    const reads = new Set<string>();
    const writes = new Set<string>();
    if (!EXPLAINABLE.test(sql)) return { reads, writes, opaque: !PRAGMA.test(sql) };
    let opaque = false;
    const add = (tables: Set<string>, database: unknown, page: unknown): void => {
      if (database !== 0) return; // 1 is the temporary schema, which nobody else sees
      const name = this.#roots.get(page);
      if (name === undefined) opaque = true;
      else tables.add(name);
    };
    // A statement that is explained does not look at the schema cookie. One that was prepared before another
    // process changed the schema would read names of tables that are freed by now, so each schema has its own.
    const explained = `EXPLAIN /* schema ${this.#schemaVersion} */ ${sql}`;
    for (const row of this.#connection.prepare(explained).rows(params)) {
      const [, opcode, p1, p2, p3, , p5] = row;
      switch (opcode) {
        case "OpenRead":
        case "ReopenIdx":
          add(reads, p3, p2);
          break;
        case "OpenWrite":
          if ((Number(p5) & P2_IS_REGISTER) === 0) add(writes, p3, p2);
          break;
        case "Clear":
          add(writes, p2, p1);
          break;
        case "Destroy":
          add(writes, p3, p1);
          break;
        case "VOpen":
        case "VUpdate":
          // json_each() and its like are virtual tables too, but hold no rows of their own
          opaque ||= this.#virtual;
          break;
      }
    }
    return { reads, writes, opaque };
  }
}
