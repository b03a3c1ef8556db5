import { TransferError } from "../../errors.ts";
import type { TransferOptions } from "../../progress.ts";
import { connect } from "../source.ts";
import { identifier } from "../source-schema.ts";
import { type HardCase, hardCases, hardRows } from "./hard-cases.ts";
import { type HubScale, hubRows } from "./hub-rows.ts";
import { HUB_TABLES } from "./hub-tables.ts";

/** Options of `seedPostgresHub()`. */
export interface SeedPostgresHubOptions extends TransferOptions {
  /** A database that may be written. */
  readonly url: string;
  /** The schema to make, default `hub`. It must not be there. */
  readonly schema?: string;
  /** What all values are computed from, default `hub`: the same seed and scale make the same hub. */
  readonly seed?: string;
  /** Rows in all, roughly, default 10,000. */
  readonly rows?: number;
  /** Rows of each kind, where `rows` is too rough. */
  readonly scale?: Partial<HubScale>;
  /** Default true: rows that are hard to take, each with the reason why. */
  readonly hardCases?: boolean;
}

/** What was made. */
export interface SeededHub {
  readonly schema: string;
  readonly scale: HubScale;
  /** Rows that are in the tables. */
  readonly rows: Readonly<Record<string, number>>;
  /** The hard cases, and what an import makes of them. */
  readonly hardCases: readonly Pick<HardCase, "table" | "name" | "code" | "taken">[];
}

/**
 * Makes a hub on PostgreSQL with data, for trying an import, in the shape of the original: see
 * docs/guide/import.md. Deterministic.
 *
 * @throws {@link TransferError} `SOURCE_UNAVAILABLE`, `OUT_IN_USE` when the schema is there
 */
export async function seedPostgresHub(options: SeedPostgresHubOptions): Promise<SeededHub> {
  const { url, schema = "hub", seed = "hub", rows = 10_000, signal, onProgress } = options;
  const scale = { ...scaleOf(rows), ...options.scale };
  const withHardCases = options.hardCases ?? true;
  const client = await connect(url);
  try {
    const { rowCount } = await client.query("SELECT 1 FROM pg_namespace WHERE nspname = $1", [
      schema,
    ]);
    if (rowCount !== 0) {
      throw new TransferError("OUT_IN_USE", `schema "${schema}" is there already`, {
        hint: "Drop it, or give another name",
      });
    }
    await client.query("BEGIN");
    await client.query(`CREATE SCHEMA ${identifier(schema)}`);
    await client.query(`SET LOCAL search_path = ${identifier(schema)}`);
    await client.query("SET LOCAL TimeZone = 'UTC'");
    const statements = [
      ...HUB_TABLES,
      ...hubRows(seed, scale),
      ...(withHardCases ? hardRows(seed) : []),
    ];
    for (const [done, statement] of statements.entries()) {
      signal?.throwIfAborted();
      onProgress?.({ phase: "seed", item: schema, done, total: statements.length });
      await client.query(statement);
    }
    const counted: Record<string, number> = {};
    const tables = await client.query<{ tablename: string }>(
      "SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1",
      [schema],
    );
    for (const { tablename } of tables.rows) {
      await client.query(`ANALYZE ${identifier(tablename)}`);
      const count = await client.query<{ count: string }>(
        `SELECT count(*) FROM ${identifier(tablename)}`,
      );
      counted[tablename] = Number(count.rows[0]?.count);
    }
    await client.query("COMMIT");
    const cases = withHardCases ? hardCases(seed) : [];
    return {
      schema,
      scale,
      rows: counted,
      hardCases: cases.map(({ table, name, code, taken }) => ({ table, name, code, taken })),
    };
  } finally {
    await client.end();
  }
}

function scaleOf(rows: number): HubScale {
  const share = (of: number, least = 1): number => Math.max(least, Math.round(rows * of));
  return {
    accounts: share(0.02, 4),
    organizations: share(0.0002, 2),
    graphs: share(0.005, 4),
    nodes: share(0.42),
    edges: share(0.3),
    sessions: share(0.03),
    calls: share(0.07, 8),
    auditLogs: share(0.08),
  };
}
