import type { OperationContext } from "@alkdev/operations";
import { createGraphStore, type GraphStore, type TenantDatabase } from "@alkdev/storage/sqlite";
import { tenantOf } from "../core/call-place.ts";

const stores = new WeakMap<TenantDatabase, GraphStore>();

/** The graph store of the tenant that a call is made in; its prepared statements are kept. */
export function graphStoreOf(context: OperationContext): GraphStore {
  const db = tenantOf(context);
  const known = stores.get(db);
  if (known !== undefined) return known;
  const store = createGraphStore(db);
  stores.set(db, store);
  return store;
}
