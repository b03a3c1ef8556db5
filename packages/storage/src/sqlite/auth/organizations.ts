import { and, eq } from "drizzle-orm";
import { StorageError } from "../../errors.ts";
import type { SystemDatabase } from "../client.ts";
import { organizationMemberOperations } from "../operations/tables/organization-members.ts";
import { organizationOperations } from "../operations/tables/organizations.ts";
import type { JsonObject } from "../tables/common.ts";
import { organizationMembers } from "../tables/identity/organization-members.ts";
import type { SelectOrganizationMember } from "../tables/identity/organization-members-schemas.ts";
import { organizations } from "../tables/identity/organizations.ts";
import type { SelectOrganization } from "../tables/identity/organizations-schemas.ts";
import { requireActiveAccount } from "./accounts.ts";
import { type Actor, recordAudit } from "./audit.ts";
import { callTable } from "./call-table.ts";

/** A new organisation. */
export interface OrganizationInput {
  /** Default: a new UUID. It names the tenant's file and never changes. */
  readonly id?: string;
  readonly name: string;
  /** Up to 63 of `a-z`, `0-9` and inner `-`. */
  readonly slug: string;
  /** An active account; it becomes the only owner among the members. */
  readonly ownerId: string;
  readonly metadata?: JsonObject;
  /** Who does it. Default: the owner. */
  readonly by?: Actor;
}

/** Who is in which organisation. */
export interface MemberKey {
  readonly orgId: string;
  readonly accountId: string;
}

/** A new member. */
export interface MemberInput extends MemberKey {
  /** Default `"member"`. */
  readonly membershipLevel?: "admin" | "member";
  /** Who does it. Default: the account itself. */
  readonly by?: Actor;
}

/**
 * Creates an organisation with its owner's membership; `org:created`, `org:member_added` and the audit
 * trail in the same commit. Its tenant is made by `TenantManager.create`.
 *
 * @throws StorageError `INVALID_ARGUMENT`, `ALREADY_EXISTS`, `NOT_FOUND`, `ACCOUNT_STATE`
 * @example
 * ```ts
 * const acme = createOrganization(system, { name: "Acme", slug: "acme", ownerId: ada.id });
 * ```
 */
export function createOrganization(
  system: SystemDatabase,
  { by, ...input }: OrganizationInput,
): SelectOrganization {
  return system.transaction(() => {
    requireActiveAccount(system, input.ownerId, "create an organisation");
    const { id } = callTable({ system, operations: organizationOperations }, "create", input);
    recordAudit(system, {
      action: "org.created",
      by: by ?? { accountId: input.ownerId },
      orgId: id,
      details: { slug: input.slug, ownerId: input.ownerId },
    });
    return requireOrganization(system, id);
  });
}

/**
 * Makes an account a member, with `org:member_added` and the audit trail in the same commit.
 *
 * @throws StorageError `ALREADY_EXISTS` for one that is a member, `NOT_FOUND`, `ACCOUNT_STATE`,
 * `INVALID_ARGUMENT`
 */
export function addMember(
  system: SystemDatabase,
  { by, membershipLevel = "member", ...key }: MemberInput,
): SelectOrganizationMember {
  return system.transaction(() => {
    requireOrganization(system, key.orgId);
    requireActiveAccount(system, key.accountId, "add the membership");
    requireNoMember(system, key);
    const table = { system, operations: organizationMemberOperations };
    callTable(table, "create", { ...key, membershipLevel });
    recordAudit(system, {
      action: "org.member_added",
      by: by ?? { accountId: key.accountId },
      orgId: key.orgId,
      details: { accountId: key.accountId, membershipLevel },
    });
    return findMember(system, key) as SelectOrganizationMember;
  });
}

/**
 * Ends a membership; its line of the audit trail is in the same commit. False for one who is no member.
 *
 * @throws StorageError `READ_ONLY` for the owner: transfer the organisation first
 */
export function removeMember(
  system: SystemDatabase,
  { by, ...key }: MemberKey & { readonly by?: Actor },
): boolean {
  return system.transaction(() => {
    const member = findMember(system, key);
    if (member === null) return false;
    callTable({ system, operations: organizationMemberOperations }, "delete", { id: member.id });
    recordAudit(system, {
      action: "org.member_removed",
      by: by ?? { accountId: key.accountId },
      orgId: key.orgId,
      details: { accountId: key.accountId, membershipLevel: member.membershipLevel },
    });
    return true;
  });
}

/**
 * Hands an organisation to another owner; the one before stays as an admin. Done twice it is done once.
 *
 * @throws StorageError `NOT_FOUND`, `ACCOUNT_STATE` where the new owner is not active
 */
export function transferOrganization(
  system: SystemDatabase,
  input: { readonly orgId: string; readonly newOwnerId: string; readonly by?: Actor },
): SelectOrganization {
  const { orgId, newOwnerId, by } = input;
  return system.transaction(() => {
    const before = requireOrganization(system, orgId);
    if (before.ownerId === newOwnerId) return before;
    requireActiveAccount(system, newOwnerId, "transfer an organisation into the hands");
    callTable({ system, operations: organizationOperations }, "update", {
      id: orgId,
      changes: { ownerId: newOwnerId },
    });
    recordAudit(system, {
      action: "org.transferred",
      by: by ?? { accountId: before.ownerId },
      orgId,
      details: { from: before.ownerId, to: newOwnerId },
    });
    return requireOrganization(system, orgId);
  });
}

function requireOrganization(system: SystemDatabase, id: string): SelectOrganization {
  const row = system.select().from(organizations).where(eq(organizations.id, id)).get();
  if (row !== undefined) return row;
  throw new StorageError("NOT_FOUND", `there is no organisation "${id}"`, {
    details: { orgId: id },
  });
}

function requireNoMember(system: SystemDatabase, key: MemberKey): void {
  const member = findMember(system, key);
  if (member === null) return;
  const { orgId, accountId } = key;
  throw new StorageError(
    "ALREADY_EXISTS",
    `account "${accountId}" is ${member.membershipLevel} in organisation "${orgId}" already`,
    { details: { ...key, membershipLevel: member.membershipLevel } },
  );
}

function findMember(
  system: SystemDatabase,
  { orgId, accountId }: MemberKey,
): SelectOrganizationMember | null {
  const { orgId: org, accountId: account } = organizationMembers;
  const where = and(eq(org, orgId), eq(account, accountId));
  return system.select().from(organizationMembers).where(where).get() ?? null;
}
