import { type Membership, organizations, type SystemDatabase } from "@alkdev/storage/sqlite";
import { type Static, Type } from "@sinclair/typebox";
import { inArray } from "drizzle-orm";
import { placeOf } from "../core/call-place.ts";
import type { HubOperation } from "../core/hub-options.ts";
import { query } from "./define-operation.ts";
import type { OperationsHost } from "./operations-host.ts";
import { closed, nullable } from "./schemas.ts";

const MOST_MEMBERSHIPS = 500;

const MembershipSchema = closed({
  orgId: Type.String(),
  slug: Type.String(),
  name: Type.String(),
  level: Type.String(),
});

/** Who calls, for both realms. */
export function whoamiOperation({ system }: OperationsHost): HubOperation {
  return query(
    {
      id: "hub.whoami",
      description: `Says who calls: account, credential, organisation and what it may do here, and up to ${MOST_MEMBERSHIPS} organisations that the account is in.`,
      input: closed({}),
      output: closed({
        accountId: Type.String(),
        accessLevel: Type.String(),
        credential: closed({
          type: Type.String(),
          id: Type.String(),
          scopes: nullable(Type.Array(Type.String())),
          orgId: nullable(Type.String()),
        }),
        orgId: nullable(Type.String()),
        scopes: Type.Array(Type.String()),
        resources: Type.Record(Type.String(), Type.Array(Type.String())),
        memberships: Type.Array(MembershipSchema),
      }),
      scope: null,
    },
    (_, context) => {
      const { session, tenant } = placeOf(context);
      const principal = session.principal();
      const { scopes = [], resources = {} } = context.identity ?? {};
      return {
        accountId: principal.accountId,
        accessLevel: principal.accessLevel,
        credential: {
          type: principal.credentialType,
          id: principal.credentialId,
          scopes: principal.scopes === null ? null : [...principal.scopes],
          orgId: principal.orgId,
        },
        orgId: tenant?.orgId ?? null,
        scopes: [...scopes],
        resources: Object.fromEntries(
          Object.entries(resources).map(([resource, actions]) => [resource, [...actions]]),
        ),
        memberships: named(system, principal.memberships.slice(0, MOST_MEMBERSHIPS)),
      };
    },
  );
}

function named(
  system: SystemDatabase,
  memberships: readonly Membership[],
): Static<typeof MembershipSchema>[] {
  const { id, slug, name } = organizations;
  const ids = memberships.map(({ orgId }) => orgId);
  const rows = system.select({ id, slug, name }).from(organizations).where(inArray(id, ids)).all();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return memberships.flatMap(({ orgId, membershipLevel: level }) => {
    const org = byId.get(orgId);
    return org === undefined ? [] : { orgId, slug: org.slug, name: org.name, level };
  });
}
