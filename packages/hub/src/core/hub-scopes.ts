import { DEFAULT_MEMBERSHIP_SCOPES, type MembershipScopes } from "@alkdev/storage/sqlite";

/** What operations of the hub ask for besides those of the tables. */
const HUB_RESOURCES = [
  "acl",
  "calls",
  "delegations",
  "events",
  "locks",
  "operations",
  "queues",
  "schedules",
  "spokes",
  "streams",
];
const READ_BY_MEMBERS = ["calls:read", "events:read", "operations:read", "streams:read"];

/**
 * What members of an organisation may do at a hub: owners and admins everything in the tenant, members
 * read its tables, events, streams and calls. Accounts of the access level `admin` may do everything.
 */
export const HUB_MEMBERSHIP_SCOPES: MembershipScopes = {
  owner: [...DEFAULT_MEMBERSHIP_SCOPES.owner, ...HUB_RESOURCES.map((resource) => `${resource}:*`)],
  admin: [...DEFAULT_MEMBERSHIP_SCOPES.admin, ...HUB_RESOURCES.map((resource) => `${resource}:*`)],
  member: [...DEFAULT_MEMBERSHIP_SCOPES.member, ...READ_BY_MEMBERS],
  system: DEFAULT_MEMBERSHIP_SCOPES.system,
};
