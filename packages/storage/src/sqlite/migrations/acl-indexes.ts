import { ACL_DELEGATIONS, ACL_PERMISSIONS } from "../tables/metagraph/acl-edges.ts";

/**
 * What an organisation's thousands of member edges must not slow down: who delegates to somebody, and
 * what somebody is permitted. Rows of other graphs cost a comparison of ids and nothing else.
 */
export const ACL_INDEXES: readonly string[] = [
  `CREATE INDEX edges_acl_delegations ON edges (target_node_key, source_node_key)
    WHERE ${ACL_DELEGATIONS}`,
  `CREATE INDEX edges_acl_permissions ON edges (source_node_key, target_node_key)
    WHERE ${ACL_PERMISSIONS}`,
];
