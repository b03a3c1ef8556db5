import { Type } from "@sinclair/typebox";
import { and, eq, type SQL, sql } from "drizzle-orm";
import { StorageError } from "../../../errors.ts";
import { type JsonSchema, schemaValidator } from "../../../graphs/index.ts";
import { graphTypes } from "../../tables/metagraph/graph-types.ts";
import { graphs } from "../../tables/metagraph/graphs.ts";
import type { WireValues } from "../find-row.ts";
import type { AnyDatabase, RawRow } from "../row-fields.ts";

/** Graph types, node types and edge types have names in snake_case (ADR-067). */
export const TypeName = Type.String({ pattern: "^[a-z][a-z0-9]*(_[a-z0-9]+)*$" });

/**
 * What holds for a new node or edge type: its schema can be enforced, and the data of its graph type is not
 * being migrated.
 *
 * @throws StorageError `INVALID_SCHEMA`, `MIGRATION_STATE`
 */
export function checkNewType(db: AnyDatabase, { graphTypeId, schema }: WireValues): void {
  schemaValidator(schema as JsonSchema);
  requireStable(db, graphTypeId as string);
}

/** What is looked at before a node or edge type goes. */
export interface TypeUse {
  readonly table: "nodes" | "edges";
  /** The type's name in a row's metadata; indexed. */
  readonly typeOf: SQL<string | null>;
}

/**
 * Refuses to delete a node or edge type that rows have.
 *
 * @throws StorageError `IN_USE`, `MIGRATION_STATE`
 */
export function requireUnused(db: AnyDatabase, row: RawRow, { table, typeOf }: TypeUse): void {
  const { graphTypeId, name } = row as { graphTypeId: string; name: string };
  requireStable(db, graphTypeId);
  const used = db
    .select({ id: graphs.id })
    .from(graphs)
    .where(
      and(
        eq(graphs.graphTypeId, graphTypeId),
        sql`EXISTS (SELECT 1 FROM ${sql.identifier(table)} WHERE graph_id = ${graphs.id} AND ${typeOf} = ${name})`,
      ),
    )
    .limit(1)
    .get();
  if (used === undefined) return;
  throw new StorageError("IN_USE", `${table} of graph "${used.id}" are of type "${name}"`, {
    details: { graphId: used.id, type: name },
  });
}

function requireStable(db: AnyDatabase, graphTypeId: string): void {
  const type = db
    .select({ name: graphTypes.name, version: graphTypes.version })
    .from(graphTypes)
    .where(eq(graphTypes.id, graphTypeId))
    .get();
  if (type === undefined || type.version % 2 === 0) return;
  throw new StorageError("MIGRATION_STATE", `graph type "${type.name}" is being migrated`, {
    hint: "Let evolveGraphType finish; it resumes where it was stopped",
    details: { graphTypeId, graphType: type.name, version: type.version },
  });
}
