import type { Job, JobContext, JobHandler } from "@alkdev/honker";
import type { PayloadOf, tenantCatalog } from "../../catalog/index.ts";
import { StorageError } from "../../errors.ts";
import { type AnyModule, type KeyRing, type Migration, systemModules } from "../../graphs/index.ts";
import { type Acl, createAcl } from "../acl/acl.ts";
import { createAclEvaluationHandler } from "../acl/evaluation-handler.ts";
import type { TenantDatabase } from "../client.ts";
import { createSchemaMigrationHandler } from "../graph-types/schema-migration-handler.ts";
import { createSecretRotationHandler } from "../secrets/secret-rotation-handler.ts";
import { createGraphMaintenanceHandler } from "./graph-maintenance-handler.ts";
import type { EventRetention } from "./prune-file.ts";
import type { TenantQueueName } from "./tenant-schedules.ts";

/** What the handlers of a tenant's queues need. */
export interface QueueHandlerOptions extends EventRetention {
  /** Queues to work on. Default all; `secret-rotation` only where a key ring is given. */
  readonly queues?: readonly TenantQueueName[];
  /** Keys of a tenant, for `secret-rotation`. Default none: that queue is left to others. */
  readonly keyRing?: KeyRing | ((orgId: string | null) => KeyRing);
  /**
   * The ACL whose memory `acl-evaluation` fills: that of whoever checks access in this process. Default
   * one that nobody else uses, so that a job finds out whether identities can be evaluated, and no more.
   */
  readonly aclOf?: (tenant: TenantDatabase, orgId: string | null) => Acl;
  /** Modules that `schema-migration` knows, default the system's. */
  readonly modules?: readonly AnyModule[];
  /** Their migrations by graph type, default none. */
  readonly migrations?: Readonly<Record<string, readonly Migration[]>>;
  /**
   * Queues of your own, by name: each makes the handler of a file; `orgId` is null for workers of one
   * file. Default none.
   */
  readonly otherQueues?: Readonly<Record<string, OtherQueue>>;
}

/** Makes the handler of a queue that the catalog does not have, for one file. */
export type OtherQueue = (tenant: TenantDatabase, orgId: string | null) => JobHandler<unknown>;

/** Handlers of one file by the names of their queues. */
export interface QueueHandlers {
  readonly catalog: CatalogHandlers;
  readonly others: Readonly<Record<string, JobHandler<unknown>>>;
}

type CatalogHandlers = {
  readonly [Name in TenantQueueName]?: (
    job: Job<PayloadOf<typeof tenantCatalog.queues, Name>>,
    context: JobContext,
  ) => unknown;
};

/** @throws StorageError `INVALID_ARGUMENT` for a queue that has a handler of its own */
export function requireOtherQueues({ otherQueues = {} }: QueueHandlerOptions): void {
  const taken = ALL.find((name) => Object.hasOwn(otherQueues, name));
  if (taken === undefined) return;
  throw new StorageError("INVALID_ARGUMENT", `queue "${taken}" has a handler already`, {
    hint: "Give otherQueues only queues of your own",
  });
}

/** Names of the queues that are worked on with these options. */
export function workedQueues(options: QueueHandlerOptions): readonly string[] {
  const { queues = ALL, keyRing, otherQueues = {} } = options;
  const own = ALL.filter(
    (name) => queues.includes(name) && (name !== "secret-rotation" || keyRing !== undefined),
  );
  return [...own, ...Object.keys(otherQueues)];
}

const ALL: readonly TenantQueueName[] = [
  "acl-evaluation",
  "secret-rotation",
  "graph-maintenance",
  "schema-migration",
];

/** The handlers of one file. */
export function queueHandlers(
  tenant: TenantDatabase,
  orgId: string | null,
  options: QueueHandlerOptions,
): QueueHandlers {
  const { keyRing, aclOf = ownAcl, modules = systemModules, migrations = {} } = options;
  const ring = typeof keyRing === "function" ? keyRing(orgId) : keyRing;
  const all: CatalogHandlers = {
    "acl-evaluation": createAclEvaluationHandler(aclOf(tenant, orgId)),
    "graph-maintenance": createGraphMaintenanceHandler(tenant, options),
    "schema-migration": createSchemaMigrationHandler(tenant, { modules, migrations }),
    ...(ring === undefined ? {} : { "secret-rotation": createSecretRotationHandler(tenant, ring) }),
  };
  const worked = workedQueues(options);
  const others = Object.entries(options.otherQueues ?? {});
  return {
    catalog: Object.fromEntries(Object.entries(all).filter(([name]) => worked.includes(name))),
    others: Object.fromEntries(others.map(([name, make]) => [name, make(tenant, orgId)])),
  };
}

function ownAcl(tenant: TenantDatabase): Acl {
  return createAcl(tenant);
}
