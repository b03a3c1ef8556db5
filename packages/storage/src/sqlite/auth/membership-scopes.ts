import type { MEMBERSHIP_LEVELS } from "../tables/identity/organization-members.ts";

/** Scopes by what somebody is in the organisation; `system`: an account of the access level `admin`. */
export type MembershipScopes = Readonly<
  Record<(typeof MEMBERSHIP_LEVELS)[number] | "system", readonly string[]>
>;

const TENANT_TABLES = ["graph_types", "node_types", "edge_types", "graphs", "nodes", "edges"];
const everything = TENANT_TABLES.map((table) => `${table}:*`);

/**
 * What members may do before the ACL gives them more: owners and admins everything in the tenant's tables,
 * members read them. None of them reaches tables of `system.db`.
 */
export const DEFAULT_MEMBERSHIP_SCOPES: MembershipScopes = {
  owner: everything,
  admin: everything,
  member: TENANT_TABLES.map((table) => `${table}:read`),
  system: ["*"],
};
