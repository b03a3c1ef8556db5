import { Type } from "@sinclair/typebox";
import { and, eq } from "drizzle-orm";
import { organizationMembers } from "../../tables/identity/organization-members.ts";
import { organizations } from "../../tables/identity/organizations.ts";
import type { AnyDatabase, RawRow } from "../row-fields.ts";
import { rowWrites } from "../row-writes.ts";
import { defineTable } from "../table-definition.ts";
import { tableOperations } from "../table-operations.ts";
import { createSpec, deleteSpec, findSpec, listSpec, updateSpec } from "../table-specs.ts";

const Text = Type.String({ minLength: 1 });
const definition = defineTable(organizations, {
  noun: "an organization",
  create: ["id", "name", "slug", "ownerId", "metadata"],
  update: ["name", "slug", "ownerId", "metadata"],
  keys: [["slug"], ["name"]],
  refine: {
    id: Text,
    name: Text,
    slug: Type.String({ pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" }),
    ownerId: Text,
  },
});

const writes = rowWrites(definition, {
  created: (db, organization) => {
    const { id, slug, ownerId } = organization;
    db.$client.notify("org:created", { orgId: id, slug, ownerId });
    ownerAdded(db, organization);
  },
  beforeUpdate: (db, { id, ownerId: before }, { ownerId }) => {
    if (ownerId === undefined || ownerId === before) return;
    const key = and(
      eq(organizationMembers.orgId, id as string),
      eq(organizationMembers.accountId, ownerId as string),
    );
    const member = db.select().from(organizationMembers).where(key).get();
    if (member === undefined) ownerAdded(db, { id, ownerId });
  },
});

/** The database makes an owner a member by itself. */
function ownerAdded(db: AnyDatabase, { id, ownerId }: RawRow): void {
  db.$client.notify("org:member_added", {
    orgId: id,
    accountId: ownerId,
    membershipLevel: "owner",
  });
}

/** Operations of organizations. Another `ownerId` moves the owner's membership with it. */
export const organizationSpecs = [
  createSpec(definition),
  findSpec(definition),
  listSpec(definition),
  updateSpec(definition),
  deleteSpec(definition),
] as const;

/** {@link organizationSpecs} with their handlers. */
export const organizationOperations = tableOperations(definition, organizationSpecs, writes);
