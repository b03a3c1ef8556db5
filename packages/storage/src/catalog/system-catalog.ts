import { Type } from "@sinclair/typebox";
import { CallEvent } from "./call-event.ts";
import type { Catalog } from "./catalog.ts";
import { Changes, Exact, Id, Timestamp } from "./schemas.ts";

const AccessLevel = Type.Union([
  Type.Literal("admin"),
  Type.Literal("user"),
  Type.Literal("service"),
]);
const MembershipLevel = Type.Union([
  Type.Literal("owner"),
  Type.Literal("admin"),
  Type.Literal("member"),
]);
const TenantState = Type.Union([
  Type.Literal("creating"),
  Type.Literal("active"),
  Type.Literal("suspended"),
  Type.Literal("archiving"),
  Type.Literal("archived"),
  Type.Literal("unarchiving"),
  Type.Literal("deleting"),
  Type.Literal("purging"),
  Type.Literal("removed"),
]);
const CredentialType = Type.Union([
  Type.Literal("api_key"),
  Type.Literal("ssh_key"),
  Type.Literal("cert_authority"),
]);

/** What travels through `system.db`. */
export const systemCatalog = {
  channels: {
    "account:created": {
      description: "An account was created.",
      payload: Exact({ accountId: Id, email: Id, accessLevel: AccessLevel }),
    },
    "account:updated": {
      description: "Columns of an account changed.",
      payload: Exact({ accountId: Id, changes: Changes }),
    },
    "org:created": {
      description: "An organisation was created.",
      payload: Exact({ orgId: Id, slug: Id, ownerId: Id }),
    },
    "org:member_added": {
      description: "An account became a member of an organisation.",
      payload: Exact({ orgId: Id, accountId: Id, membershipLevel: MembershipLevel }),
    },
    "auth:key_verified": {
      description: "A request was authenticated with an API key.",
      payload: Exact({ keyId: Id, ownerId: Id }),
    },
    "tenant:state_changed": {
      description: "A tenant is in another state; `removed`: there is none any more.",
      payload: Exact({ orgId: Id, state: TenantState }),
    },
  },
  streams: {
    "audit-events": {
      description: "Append-only audit trail.",
      consumers: ["compliance", "monitoring"],
      payload: Exact({
        action: Id,
        ownerId: Id,
        credentialId: Type.Optional(Id),
        credentialType: Type.Optional(CredentialType),
        orgId: Type.Optional(Id),
        details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        at: Timestamp,
      }),
    },
    "call-protocol": {
      description: "Every event of every call that belongs to no tenant.",
      consumers: ["observability"],
      payload: CallEvent,
    },
  },
  queues: {
    "key-management": {
      description: "API key rotation and clean-up of expired keys.",
      consumers: ["hub key service"],
      payload: Type.Union([
        Exact({
          task: Type.Literal("rotate-key"),
          keyId: Id,
          /** How long the old key stays valid beside the new one. */
          graceSeconds: Type.Integer({ minimum: 0 }),
        }),
        Exact({ task: Type.Literal("remove-expired-keys"), expiredBefore: Timestamp }),
        /** The same for schedules, which do not know the moment: keys that ended so long ago. */
        Exact({
          task: Type.Literal("remove-expired-keys"),
          expiredForSeconds: Type.Integer({ minimum: 0 }),
        }),
      ]),
    },
    "account-maintenance": {
      description: "Deactivation of accounts and transfer of organisations.",
      consumers: ["hub account service"],
      payload: Type.Union([
        Exact({ task: Type.Literal("deactivate-account"), accountId: Id }),
        Exact({ task: Type.Literal("transfer-organization"), orgId: Id, newOwnerId: Id }),
      ]),
    },
    "system-maintenance": {
      description: "Deletion of what is too old in system.db.",
      consumers: ["maintenance service"],
      payload: Exact({ task: Type.Literal("prune-events") }),
    },
    "schema-migration": {
      description: "A tenant's file is brought to the newest version, in a run over all tenants.",
      consumers: ["fleet workers"],
      payload: Exact({ runId: Id, orgId: Id }),
    },
    "tenant-backup": {
      description: "Tenants are copied to the backups, and old backups are removed.",
      consumers: ["backup workers"],
      payload: Type.Union([
        Exact({ task: Type.Literal("back-up-all") }),
        Exact({ task: Type.Literal("back-up"), orgId: Id }),
      ]),
    },
  },
} as const satisfies Catalog;
