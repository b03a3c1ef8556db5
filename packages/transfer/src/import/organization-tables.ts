import { HonkerError, type SqlInput } from "@alkdev/honker";
import { insertOrganizationWithOwner, uuidV7 } from "@alkdev/storage/sqlite";
import type { Field } from "../postgres/copy-text.ts";
import { textOf } from "../postgres/expressions.ts";
import type { SourceSchema } from "../postgres/source-schema.ts";
import { tableQuery } from "../postgres/table-query.ts";
import { commonFields, commonValues, FIRST_OWN_FIELD, rowValues } from "./common-values.ts";
import { RowRefusal } from "./row-refusal.ts";
import type { RowContext, TableImport, TargetRow } from "./table-import.ts";
import { required, withMember } from "./values.ts";

/** Positions in the values of an organization. */
const METADATA = 1;
const NAME = 4;
const SLUG = 5;
const OWNER = 6;
/** Fields of an organization itself; those of its owner's membership follow. */
const ORGANIZATION_FIELDS = FIRST_OWN_FIELD + 3;
const ATTEMPTS = 1_000;

/** Organizations, each with the membership of its owner: neither can be here without the other. */
export function organizationsImport(schema: SourceSchema): TableImport {
  const from = { table: "organizations", alias: "o" };
  const member = { table: "organization_members", alias: "m" };
  const membership = commonFields(schema, member);
  return {
    name: "organizations",
    counted: "organizations",
    place: "system",
    target: "organizations",
    query: tableQuery(
      "organizations",
      `FROM ${schema.qualified("organizations")} o ${ownerRow(schema)}`,
      {
        org: "''",
        ...commonFields(schema, from),
        name: textOf(schema, from, "name"),
        slug: textOf(schema, from, "slug"),
        owner_id: textOf(schema, from, "owner_id"),
        member_id: membership.id,
        member_metadata: membership.metadata,
        member_data: membership.data,
        member_created_at: membership.created_at,
        member_updated_at: membership.updated_at,
        member_level: textOf(schema, member, "membership_level"),
      },
    ),
    map(row, context) {
      const [name = null, slug = null, ownerId = null] = row.slice(FIRST_OWN_FIELD);
      const given = required(slug, "slug");
      const fitting = fittingSlug(given);
      const values = rowValues(row, context, [
        required(name, "name"),
        fitting,
        required(ownerId, "owner_id"),
      ]);
      if (fitting === given) return values;
      context.changed(
        "SLUG_CHANGED",
        `slug was ${JSON.stringify(given)}, is ${JSON.stringify(fitting)}`,
      );
      return noted(values, { slug: given });
    },
    writeOne(row, values, context) {
      const owner = ownerValues(row, values, context);
      let organization = values;
      for (let attempt = 2; ; attempt++) {
        try {
          if (!insertOrganizationWithOwner(context.client, { organization, owner })) {
            throw new RowRefusal("REFERENCE_NOT_FOUND", `there is no account "${values[OWNER]}"`);
          }
          break;
        } catch (error) {
          const other =
            attempt <= ATTEMPTS ? renamed(values, organization, { error, attempt }) : undefined;
          if (other === undefined) throw error;
          organization = other;
        }
      }
      reportNames(values, organization, context);
      context.organizations.add(String(values[0]));
      return [
        { target: "organizations", values: organization },
        { target: "organization_members", values: owner },
      ] satisfies TargetRow[];
    },
  };
}

/** The memberships that did not come with their organization. */
export function organizationMembersImport(schema: SourceSchema): TableImport {
  const from = { table: "organization_members", alias: "om" };
  return {
    name: "organization_members",
    counted: "organization_members",
    place: "system",
    target: "organization_members",
    query: tableQuery(
      "organization_members",
      `FROM ${schema.qualified("organization_members")} om
       LEFT JOIN ${schema.qualified("organizations")} o ON o.id::text = om.org_id::text
       ${ownerRow(schema)}`,
      {
        org: "''",
        ...commonFields(schema, from),
        org_id: textOf(schema, from, "org_id"),
        account_id: textOf(schema, from, "account_id"),
        membership_level: textOf(schema, from, "membership_level"),
        is_owner_row: "(m.id IS NOT DISTINCT FROM om.id)::text",
      },
    ),
    map(row, context) {
      const [orgId = null, accountId = null, level = null, isOwnerRow = null] =
        row.slice(FIRST_OWN_FIELD);
      if (isOwnerRow === "true") return ownerRowTaken(required(orgId, "org_id"), context);
      const given = required(level, "membership_level");
      if (given === "owner") {
        context.changed(
          "MEMBERSHIP_LEVEL",
          "was owner beside the organization's owner_id, is admin",
        );
      }
      return rowValues(row, context, [
        required(orgId, "org_id"),
        required(accountId, "account_id"),
        given === "owner" ? "admin" : given,
      ]);
    },
  };
}

/** The one membership that becomes the owner's. */
function ownerRow(schema: SourceSchema): string {
  if (!schema.has("organization_members", "id")) {
    return "LEFT JOIN (SELECT NULL::text AS id) m ON false";
  }
  return `LEFT JOIN LATERAL (
    SELECT * FROM ${schema.qualified("organization_members")} x
    WHERE x.org_id::text = o.id::text AND x.account_id::text = o.owner_id::text
    ORDER BY x.id::text COLLATE "C" LIMIT 1
  ) m ON true`;
}

function ownerValues(
  row: readonly Field[],
  organization: readonly SqlInput[],
  context: RowContext,
): readonly SqlInput[] {
  const membership = row.slice(ORGANIZATION_FIELDS);
  const [id, level] = [membership[0], membership[5]];
  const [orgId = null, , createdAt = null, updatedAt = null] = organization;
  const ownerId = organization[OWNER] ?? null;
  if (id == null) {
    context.changed("OWNER_ADDED", "its owner was no member, and is one now");
    return [uuidV7(), "{}", createdAt, updatedAt, orgId, ownerId, "owner"];
  }
  if (level !== "owner") {
    context.changed("MEMBERSHIP_LEVEL", `the membership of its owner was ${level}, is owner`);
  }
  return [...commonValues(["", ...membership], context), orgId, ownerId, "owner"];
}

/** Null, as it came with its organization. @throws RowRefusal when that was not taken */
function ownerRowTaken(orgId: string, { organizations }: RowContext): null {
  if (organizations.has(orgId)) return null;
  throw new RowRefusal("REFERENCE_NOT_FOUND", `organization "${orgId}" was not taken`);
}

/** The values with another slug or name, when that is what was refused. */
function renamed(
  given: readonly SqlInput[],
  tried: readonly SqlInput[],
  failure: { readonly error: unknown; readonly attempt: number },
): readonly SqlInput[] | undefined {
  const { error, attempt } = failure;
  if (!(error instanceof HonkerError) || error.code !== "CONSTRAINT") return undefined;
  const replace = (position: number, value: string): readonly SqlInput[] =>
    tried.map((old, index) => (index === position ? value : old));
  if (error.message.includes("organizations.slug")) {
    const suffix = `-${attempt}`;
    return replace(SLUG, `${String(given[SLUG]).slice(0, 63 - suffix.length)}${suffix}`);
  }
  return error.message.includes("organizations.name")
    ? replace(NAME, `${given[NAME]} (${attempt})`)
    : undefined;
}

function reportNames(
  given: readonly SqlInput[],
  taken: readonly SqlInput[],
  context: RowContext,
): void {
  if (given[SLUG] !== taken[SLUG]) {
    context.changed("SLUG_CHANGED", `slug "${given[SLUG]}" is another's: it is "${taken[SLUG]}"`);
  }
  if (given[NAME] !== taken[NAME]) {
    context.changed("NAME_TAKEN", `name "${given[NAME]}" is another's: it is "${taken[NAME]}"`);
  }
}

/** The slug in `a-z`, `0-9` and inner `-`, at most 63. */
function fittingSlug(slug: string): string {
  const fitting = slug
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, "");
  return fitting === "" ? "organization" : fitting;
}

function noted(
  values: readonly SqlInput[],
  original: Readonly<Record<string, string>>,
): readonly SqlInput[] {
  return values.map((value, index) =>
    index === METADATA ? withMember(String(value), "_import", JSON.stringify(original)) : value,
  );
}
