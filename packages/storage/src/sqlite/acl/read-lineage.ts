import type { Database } from "@alkdev/honker";
import {
  type AclDelegation,
  type AclPermission,
  type AclPrincipal,
  type AclView,
  aclView,
} from "../../graphs/index.ts";
import { ACL_DELEGATIONS, ACL_GRAPH_ID, ACL_PERMISSIONS } from "../tables/metagraph/acl-edges.ts";
import { delegationOf, permissionOf, principalOf } from "./acl-rows.ts";

/** A principal and everybody above it; one statement, so of one moment. */
const LINEAGE = `WITH RECURSIVE lineage (key) AS (
    SELECT +?
    UNION
    SELECT source_node_key FROM lineage CROSS JOIN edges INDEXED BY edges_acl_delegations
    WHERE ${ACL_DELEGATIONS} AND target_node_key = lineage.key
  )
  SELECT 'principal', nodes.key, NULL, attributes FROM lineage CROSS JOIN nodes
  WHERE graph_id = '${ACL_GRAPH_ID}' AND nodes.key = lineage.key
    AND metadata ->> '$._metagraph.nodeType' = 'principal'
  UNION ALL
  SELECT 'delegation', source_node_key, target_node_key, attributes
  FROM lineage CROSS JOIN edges INDEXED BY edges_acl_delegations
  WHERE ${ACL_DELEGATIONS} AND target_node_key = lineage.key
  UNION ALL
  SELECT 'permission', source_node_key, target_node_key, attributes
  FROM lineage CROSS JOIN edges INDEXED BY edges_acl_permissions
  WHERE ${ACL_PERMISSIONS} AND source_node_key = lineage.key`;

/** Everything that decides what `principal` holds, read from the file. */
export function readLineage(client: Database, principal: string): AclView {
  const principals: AclPrincipal[] = [];
  const delegations: AclDelegation[] = [];
  const permissions: AclPermission[] = [];
  for (const row of client.prepare(LINEAGE).rows([principal])) {
    const [kind, source, target, text] = row as [string, string, string, string];
    const attributes = JSON.parse(text);
    if (kind === "principal") principals.push(principalOf(source, attributes));
    else if (kind === "delegation") delegations.push(delegationOf({ source, target, attributes }));
    else {
      const permission = permissionOf({ source, target, attributes });
      if (permission !== null) permissions.push(permission);
    }
  }
  return aclView({ principals, delegations, permissions });
}
