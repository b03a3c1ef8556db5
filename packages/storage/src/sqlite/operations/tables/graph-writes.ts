import { type TInteger, type TNull, type TString, type TUnion, Type } from "@sinclair/typebox";
import { type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { StorageError } from "../../../errors.ts";
import type { TenantDatabase } from "../../client.ts";
import { createGraphStore, type GraphStore } from "../../graph-store/graph-store.ts";
import { ACL_GRAPH_ID } from "../../tables/metagraph/acl-edges.ts";
import type { AnyDatabase } from "../row-fields.ts";
import type { RowChange } from "../row-writes.ts";
import type { ComputedField } from "../table-definition.ts";

const stores = new WeakMap<AnyDatabase, GraphStore>();

/** The graph store of a tenant's database, whose prepared statements are kept. */
export function storeOf(db: AnyDatabase): GraphStore {
  const known = stores.get(db);
  if (known !== undefined) return known;
  const store = createGraphStore(db as unknown as TenantDatabase);
  stores.set(db, store);
  return store;
}

/**
 * Refuses writes to the graph of permissions: whoever may write nodes could give himself any.
 *
 * @throws StorageError `READ_ONLY`
 */
export function requireNotAcl(graphId: unknown): void {
  if (graphId !== ACL_GRAPH_ID) return;
  throw new StorageError("READ_ONLY", "the graph of permissions is not written like other graphs", {
    hint: "Use the functions for principals, permissions and delegations",
    details: { graphId: ACL_GRAPH_ID },
  });
}

/** What the store asks before a change. */
export function expectationOf({ ifRevision }: RowChange): { ifRevision?: number } {
  return ifRevision === undefined ? {} : { ifRevision };
}

/** How often a row was written, from 1; pass it as `ifRevision` to write only what was read. */
export function revisionOf(metadata: SQLiteColumn): ComputedField<TInteger> {
  return {
    schema: Type.Integer({ minimum: 1 }),
    sql: sql`coalesce(json_extract(${metadata}, '$._metagraph.revision'), 1)`,
  };
}

/** The name of a row's node or edge type; null for rows written by other means without one. */
export function typeNameOf(typeOf: SQL<string | null>): ComputedField<TUnion<[TString, TNull]>> {
  return { schema: Type.Union([Type.String(), Type.Null()]), sql: typeOf };
}
