import type { Database, SqlValue } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import {
  type EncryptedValue,
  encryptedValues,
  type JsonSchema,
  mayHoldEncrypted,
  schemaValidator,
} from "../../graphs/index.ts";

/** A node or edge that holds encrypted values. */
export interface EncryptedRow {
  readonly of: "node" | "edge";
  readonly id: string;
  readonly graphId: string;
  /** The key of an edge without one is its id. */
  readonly key: string;
  readonly graphType: string;
  readonly type: string;
  /** As stored, to write the row only if nobody else has. */
  readonly text: string;
  readonly attributes: unknown;
  readonly values: readonly EncryptedValue[];
}

/** Where a walk over the rows is: after this one; nodes come before edges, each by id. */
export type RowCursor = Pick<EncryptedRow, "of" | "id">;

/** The types of a file whose rows may hold encrypted values. */
export class EncryptedTypes {
  readonly #schemas = new Map<string, JsonSchema>();
  readonly #names = { node: new Set<string>(), edge: new Set<string>() };

  /** @throws StorageError `INVALID_SCHEMA` */
  constructor(client: Database) {
    for (const kind of ["node", "edge"] as const) {
      for (const [graphType, name, text] of client.rows(TYPES[kind])) {
        const schema = JSON.parse(String(text)) as JsonSchema;
        if (!mayHoldEncrypted(schema)) continue;
        // schemas are written by tenants: one that would have the walk run in circles is refused here
        schemaValidator(schema);
        this.#schemas.set(`${kind} ${String(graphType)} ${String(name)}`, schema);
        this.#names[kind].add(String(name));
      }
    }
  }

  names(of: "node" | "edge"): string {
    return JSON.stringify([...this.#names[of]]);
  }

  /** The row with its values, or null where its type has none. */
  row(of: "node" | "edge", columns: readonly SqlValue[]): EncryptedRow | null {
    const [id, graphId, key, graphTypeId, graphType, type, text] = columns.map(String) as [
      ...[string, string, string, string, string, string, string],
    ];
    const schema = this.#schemas.get(`${of} ${graphTypeId} ${type}`);
    if (schema === undefined) return null;
    const attributes: unknown = JSON.parse(text);
    const values = encryptedValues(schema, attributes);
    return values.length === 0
      ? null
      : { of, id, graphId, key, graphType, type, text, attributes, values };
  }
}

const TYPES = {
  node: "SELECT graph_type_id, name, schema FROM node_types",
  edge: "SELECT graph_type_id, name, schema FROM edge_types",
};
const NODES = `SELECT n.id, g.id, n.key, t.id, t.name, type.value, n.attributes
  FROM json_each(?) type CROSS JOIN nodes n
    ON json_extract(n.metadata, '$._metagraph.nodeType') = type.value
  JOIN graphs g ON g.id = n.graph_id JOIN graph_types t ON t.id = g.graph_type_id
  WHERE n.id > ? ORDER BY n.id LIMIT ?`;
const EDGES = `SELECT e.id, g.id, coalesce(e.key, e.id), t.id, t.name, type.value, e.attributes
  FROM json_each(?) type CROSS JOIN edges e
    ON json_extract(e.metadata, '$._metagraph.edgeType') = type.value
  JOIN graphs g ON g.id = e.graph_id JOIN graph_types t ON t.id = g.graph_type_id
  WHERE e.id > ? ORDER BY e.id LIMIT ?`;
const MIGRATING = "SELECT name FROM graph_types WHERE version % 2 = 1 ORDER BY name LIMIT 1";

/** Some rows that may hold encrypted values, and where the next ones begin. */
export interface EncryptedBatch {
  readonly rows: readonly EncryptedRow[];
  /** Null after the last. */
  readonly next: RowCursor | null;
}

/** The next rows of the types that may hold encrypted values, at most `limit`. */
export function readEncrypted(
  client: Database,
  types: EncryptedTypes,
  { after, limit }: { readonly after: RowCursor | null; readonly limit: number },
): EncryptedBatch {
  const read = (of: "node" | "edge", id: string, most: number): readonly SqlValue[][] =>
    client.prepare(of === "node" ? NODES : EDGES).rows([types.names(of), id, most]);
  const nodes = after?.of === "edge" ? [] : read("node", after?.id ?? "", limit);
  const room = limit - nodes.length;
  const edges = room === 0 ? [] : read("edge", after?.of === "edge" ? after.id : "", room);
  const rows = [
    ...nodes.map((row) => types.row("node", row)),
    ...edges.map((row) => types.row("edge", row)),
  ].filter((row) => row !== null);
  if (edges.length === room && room > 0) {
    return { rows, next: { of: "edge", id: String(edges.at(-1)?.[0]) } };
  }
  const last = nodes.at(-1);
  return {
    rows,
    next: room === 0 && last !== undefined ? { of: "node", id: String(last[0]) } : null,
  };
}

/** All of them, a batch in memory at a time. */
export function* allEncrypted(client: Database, types: EncryptedTypes): Generator<EncryptedRow> {
  let after: RowCursor | null = null;
  do {
    const batch: EncryptedBatch = readEncrypted(client, types, { after, limit: 1_000 });
    yield* batch.rows;
    after = batch.next;
  } while (after !== null);
}

/**
 * Rows of a type that is being migrated can have the form of either version.
 *
 * @throws StorageError `MIGRATION_STATE`
 */
export function requireNoMigration(client: Database): void {
  const name = client.rows(MIGRATING)[0]?.[0];
  if (name === undefined) return;
  throw new StorageError(
    "MIGRATION_STATE",
    `encrypted values cannot be looked through: the data of graph type "${String(name)}" is being migrated`,
    { hint: "Let evolveGraphType finish first", details: { graphType: name } },
  );
}
