import type { OperationContext } from "@alkdev/operations";
import { createCrossTenantDelegations } from "@alkdev/storage/sqlite";
import { Type } from "@sinclair/typebox";
import { placeOf, tenantOf } from "../core/call-place.ts";
import type { HubOperation } from "../core/hub-options.ts";
import { PrincipalSchema, ResourcesSchema, ScopesSchema } from "./acl-schemas.ts";
import { atomicMutation, mutation, query } from "./define-operation.ts";
import {
  IncomingSchema,
  OUTGOING_STATES,
  OutgoingSchema,
  outgoingOf,
  ReconciledSchema,
} from "./delegation-schemas.ts";
import { fitting } from "./fitting.ts";
import type { OperationsHost } from "./operations-host.ts";
import {
  Cursor,
  closed,
  dateOf,
  given,
  limit,
  Moment,
  Name,
  nullable,
  oneOf,
  page,
} from "./schemas.ts";

const MOST_CONSENTS = 1_000;
const MOST_RECONCILED = 1_000;
const Id = Type.String({ pattern: "^[A-Za-z0-9._:-]{1,128}$" });

/** Delegations from principals of one organisation to principals of another. */
export function delegationOperations({ tenants }: OperationsHost): readonly HubOperation[] {
  const crossTenant = createCrossTenantDelegations({ tenants });
  return [
    atomicMutation(
      {
        id: "delegations.propose",
        description:
          "Lets a principal of another organisation act with a part of what one here holds: exactly these scopes and actions. It counts once the other organisation, which must have consented, has it; `state` says so. The same `id` again is the same delegation.",
        input: closed({
          id: Type.Optional(Id),
          principal: PrincipalSchema,
          to: closed({ orgId: Name, principal: PrincipalSchema }),
          scopes: ScopesSchema,
          resources: ResourcesSchema,
          narrowable: Type.Optional(Type.Boolean()),
          expiresAt: Type.Optional(Moment),
        }),
        output: OutgoingSchema,
        scope: "delegations:write",
        errors: ["NOT_FOUND", "DELEGATION_NOT_ALLOWED", "ALREADY_EXISTS", "INVALID_ARGUMENT"],
      },
      ({ id, principal, to, scopes, resources, narrowable, expiresAt }, context) => {
        const { orgId } = orgOf(context);
        const terms = {
          narrowedScopes: scopes,
          ...given({ id, narrowable, narrowedResources: resources }),
          ...(expiresAt === undefined ? {} : { expiresAt: dateOf(expiresAt).getTime() }),
        };
        return outgoingOf(crossTenant.delegate({ ...terms, from: { orgId, principal }, to }));
      },
    ),
    atomicMutation(
      {
        id: "delegations.revoke",
        description:
          "Ends a delegation to another organisation: here at once, there with the next delivery.",
        input: closed({ id: Id }),
        output: OutgoingSchema,
        scope: "delegations:write",
        errors: ["NOT_FOUND"],
      },
      ({ id }, context) => outgoingOf(crossTenant.revoke(orgOf(context).orgId, id)),
    ),
    query(
      {
        id: "delegations.get",
        description:
          "Shows a delegation to another organisation and how far it is; null if unknown.",
        input: closed({ id: Id }),
        output: nullable(OutgoingSchema),
        scope: "delegations:read",
      },
      ({ id }, context) => {
        const delegation = crossTenant.get(orgOf(context).orgId, id);
        return delegation === null ? null : outgoingOf(delegation);
      },
    ),
    query(
      {
        id: "delegations.list",
        description: "Lists delegations to other organisations, by id.",
        input: closed({
          states: Type.Optional(Type.Array(oneOf(OUTGOING_STATES), { minItems: 1, maxItems: 7 })),
          limit: limit(500, 100),
          cursor: Cursor,
        }),
        output: page(OutgoingSchema),
        scope: "delegations:read",
        errors: ["INVALID_ARGUMENT"],
      },
      (input, context) => {
        const { items, cursor } = crossTenant.list(orgOf(context).orgId, given(input));
        return { items: items.map(outgoingOf), cursor };
      },
    ),
    query(
      {
        id: "delegations.incoming",
        description: "Lists what other organisations have delegated to principals here.",
        input: closed({ limit: limit(500, 100), cursor: Cursor }),
        output: page(IncomingSchema),
        scope: "delegations:read",
        errors: ["INVALID_ARGUMENT"],
      },
      (input, context) => {
        const { items, cursor } = crossTenant.listIncoming(orgOf(context).orgId, given(input));
        const shown = items.map((one) => ({ ...one, updatedAt: one.updatedAt.toISOString() }));
        return { items: shown, cursor };
      },
    ),
    atomicMutation(
      {
        id: "delegations.consent",
        description:
          "Consents that another organisation delegates at most these scopes and actions to principals here. Replaces an earlier consent; what no longer fits ends at once.",
        input: closed({ from: Name, scopes: ScopesSchema, resources: ResourcesSchema }),
        output: closed({ from: Type.String() }),
        scope: "delegations:write",
        errors: ["INVALID_ARGUMENT"],
      },
      ({ from, scopes, resources }, context) => {
        crossTenant.allow(orgOf(context).orgId, { from, scopes, ...given({ resources }) });
        return { from };
      },
    ),
    atomicMutation(
      {
        id: "delegations.withdraw",
        description:
          "Takes a consent back, and ends all that was delegated by it. `withdrawn` is false where there was none.",
        input: closed({ from: Name }),
        output: closed({ withdrawn: Type.Boolean() }),
        scope: "delegations:write",
        errors: ["INVALID_ARGUMENT"],
      },
      ({ from }, context) => ({ withdrawn: crossTenant.disallow(orgOf(context).orgId, from) }),
    ),
    query(
      {
        id: "delegations.consents",
        description: "Lists what this organisation consents to, by organisation.",
        input: closed({}),
        output: closed({
          items: Type.Array(
            closed({
              fromOrgId: Type.String(),
              scopes: Type.Array(Type.String()),
              resources: Type.Record(Type.String(), Type.Array(Type.String())),
            }),
          ),
          more: Type.Boolean(),
        }),
        scope: "delegations:read",
      },
      (_, context) => fitting(crossTenant.consents(orgOf(context).orgId), MOST_CONSENTS) as never,
    ),
    mutation(
      {
        id: "delegations.reconcile",
        description:
          "Compares both sides of every delegation of this organisation that has not ended, settles what differs, and says what it found and did.",
        input: closed({}),
        output: closed({ items: Type.Array(ReconciledSchema), more: Type.Boolean() }),
        scope: "delegations:write",
      },
      async (_, context) => {
        const { signal } = context;
        const found = await crossTenant.reconcile(orgOf(context).orgId, { signal });
        return fitting(found, MOST_RECONCILED);
      },
    ),
  ];
}

function orgOf(context: OperationContext): { readonly orgId: string } {
  tenantOf(context);
  return { orgId: placeOf(context).tenant?.orgId ?? "" };
}
