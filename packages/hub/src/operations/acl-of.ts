import type { OperationContext } from "@alkdev/operations";
import { type Acl, createAcl, type TenantDatabase } from "@alkdev/storage/sqlite";
import { tenantOf } from "../core/call-place.ts";

const acls = new WeakMap<TenantDatabase, Acl>();

/** The ACL of the tenant that a call is made in; its prepared statements are kept. */
export function aclOf(context: OperationContext): Acl {
  const db = tenantOf(context);
  const known = acls.get(db);
  if (known !== undefined) return known;
  const acl = createAcl(db, { cacheSize: 0 }); // the tenant's runtime keeps identities
  acls.set(db, acl);
  return acl;
}
