import type { Database, SqlInput } from "@alkdev/honker";
import { organizationMembers } from "../tables/identity/organization-members.ts";
import { organizations } from "../tables/identity/organizations.ts";
import { bulkTable } from "./bulk-table.ts";

/** Values in the order of the columns, as {@link bulkTable} takes them. */
export interface OrganizationWithOwner {
  readonly organization: readonly SqlInput[];
  /** The owner's membership; its account is the organization's `owner_id`. */
  readonly owner: readonly SqlInput[];
}

/** References are checked when the transaction commits: the membership comes before its organization. */
const DEFER = "PRAGMA defer_foreign_keys = ON";
const ACCOUNT = "SELECT 1 FROM accounts WHERE id = ?";
const KEEP_TIMES = "UPDATE organization_members SET updated_at = ? WHERE id = ?";

/**
 * Inserts an organization together with its owner's membership as it is given. A plain insert makes a
 * membership with an id of its own.
 *
 * @returns false, and nothing is written, when there is no such owner
 * @throws `HonkerError` `CONSTRAINT`, and nothing is written
 */
export function insertOrganizationWithOwner(
  client: Database,
  { organization, owner }: OrganizationWithOwner,
): boolean {
  return client.transaction((tx) => {
    const members = bulkTable(client, organizationMembers);
    const at = (column: string): number => members.columns.indexOf(column);
    // deferred, a missing account would be found at the commit and take other rows with it
    if (client.prepare(ACCOUNT).row([owner[at("account_id")] ?? null]) === undefined) return false;
    tx.execute(DEFER);
    // as an admin: the trigger of the organization makes an owner of whom it finds
    const row = owner.map((value, index) => (index === at("membership_level") ? "admin" : value));
    for (const { error } of members.insert([row])) throw error;
    for (const { error } of bulkTable(client, organizations).insert([organization])) throw error;
    tx.execute(KEEP_TIMES, [owner[at("updated_at")] ?? null, owner[at("id")] ?? null]);
    return true;
  });
}
