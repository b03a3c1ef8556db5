import { createAcl } from "../acl/acl.ts";
import { allPages } from "../acl/all-pages.ts";
import type { TenantDatabase } from "../client.ts";
import { listIncoming } from "./incoming.ts";

const DROP = [
  "DELETE FROM _alk_delegations_out",
  "DELETE FROM _alk_delegations_in",
  "DELETE FROM _alk_delegation_consents",
] as const;

/**
 * Takes all delegations from and to other organisations, and consents to them, out of a file that becomes
 * another organisation's: they are the original's. Joins the open transaction.
 */
export function dropDelegations(tenant: TenantDatabase): void {
  const client = tenant.$client;
  const acl = createAcl(tenant, { cacheSize: 0 });
  client.transaction(() => {
    const stubs = allPages((cursor) => listIncoming(client, { cursor }));
    for (const { stub } of [...stubs]) acl.removePrincipal(stub);
    for (const statement of DROP) client.execute(statement);
  });
}
