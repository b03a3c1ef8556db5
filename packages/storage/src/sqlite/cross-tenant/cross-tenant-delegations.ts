import type { Clock, Job } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { TenantDatabase } from "../client.ts";
import type { PageOptions } from "../graph-store/paging.ts";
import { requireWhole } from "../graph-store/reachable.ts";
import type { Page } from "../graph-store/rows.ts";
import type { TenantManager } from "../tenants/tenant-manager.ts";
import type { OtherQueue } from "../workers/queue-handlers.ts";
import type { TenantSchedule } from "../workers/tenant-schedules.ts";
import { allow, type ConsentInput, disallow } from "./change-consent.ts";
import { type DelegationConsent, listConsents } from "./consents.ts";
import type { CrossTenantContext } from "./context.ts";
import { deliver } from "./deliver.ts";
import { type IncomingDelegation, listIncoming } from "./incoming.ts";
import { type CrossTenantDelegationInput, delegate, revoke } from "./intents.ts";
import { DELEGATION_OUTBOX, type DelegationMessage } from "./outbox.ts";
import {
  type ListOutgoingOptions,
  listOutgoing,
  type OutgoingDelegation,
  readOutgoing,
} from "./outgoing.ts";
import { reconcile } from "./reconcile.ts";
import type { DelegationVerdict, ReconciledDelegation } from "./reconciled.ts";

/** Options of {@link createCrossTenantDelegations}. */
export interface CrossTenantOptions {
  /** Opens both files. */
  readonly tenants: TenantManager;
  /**
   * Attempts before a delegation that cannot be applied is given up and taken back, default 20: about
   * seventy minutes. A revocation is never given up.
   */
  readonly maxAttempts?: number;
  /** Milliseconds before the second attempt, doubled for each one after, to 5 minutes at most; default 5,000. */
  readonly baseBackoffMs?: number;
  /** Time source, default the machine's clock. */
  readonly clock?: Clock;
}

/**
 * Delegations from principals of one organisation to principals of another. Each has a row in both files,
 * and is carried between them by messages that can be repeated.
 */
export interface CrossTenantDelegations {
  /**
   * Lets a principal of another organisation act with some of what one here holds. The intent is one
   * commit in the delegating file, or part of its open transaction; `queues` carry it over.
   *
   * @throws StorageError `NOT_FOUND`, `DELEGATION_NOT_ALLOWED` where the delegator does not hold it or
   * may not pass it on, `ALREADY_EXISTS` where the id stands for another delegation, `INVALID_ARGUMENT`;
   * those of `TenantManager.open`
   */
  delegate(input: CrossTenantDelegationInput): OutgoingDelegation;
  /**
   * Ends a delegation: at once in the delegating file, and with the next delivery in the other one.
   *
   * @throws StorageError `NOT_FOUND`; those of `TenantManager.open`
   */
  revoke(orgId: string, id: string): OutgoingDelegation;
  /** A delegation of that organisation, or null. */
  get(orgId: string, id: string): OutgoingDelegation | null;
  /** Delegations of that organisation, by id. */
  list(orgId: string, options?: ListOutgoingOptions): Page<OutgoingDelegation>;
  /** Delegations to principals of that organisation that are applied, by organisation and id. */
  listIncoming(orgId: string, page?: PageOptions): Page<IncomingDelegation>;
  /**
   * Consents that another organisation delegates at most this to principals of `orgId`; without consent
   * nothing is accepted. Replaces an earlier consent: what no longer fits ends in the same commit.
   *
   * @throws StorageError `INVALID_ARGUMENT`; those of `TenantManager.open`
   */
  allow(orgId: string, consent: ConsentInput): void;
  /** Ends the consent, and with it all that was delegated. False where there was none. */
  disallow(orgId: string, from: string): boolean;
  /** What `orgId` consents to. */
  consents(orgId: string): readonly DelegationConsent[];
  /**
   * Compares both sides of every delegation of an organisation that has not ended, in both directions, and
   * settles what differs. Says for each whether it is applied, and what was done. Delegations whose
   * delegator no longer holds what it gave are taken back; those that expired a day ago are taken out.
   *
   * @throws the reason of `options.signal`; those of `TenantManager.open`
   */
  reconcile(
    orgId: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<ReconciledDelegation[]>;
  /**
   * For `startTenantWorkers({ otherQueues })`: delivery and reconciliation of each tenant's file. A job that
   * reconciles has the number of delegations per verdict as its result.
   */
  readonly queues: Readonly<Record<string, OtherQueue>>;
  /** For `startTenantWorkers({ schedules: [...TENANT_SCHEDULES, schedule] })`: reconciles at 3:30 UTC. */
  readonly schedule: TenantSchedule;
}

const RECONCILE_QUEUE = "cross-tenant-reconciliation";
const LONGEST_BACKOFF_MS = 300_000;

/**
 * Delegations between the organisations of a manager.
 *
 * @throws StorageError `INVALID_ARGUMENT`
 * @example
 * ```ts
 * const crossTenant = createCrossTenantDelegations({ tenants });
 * crossTenant.allow("globex", { from: "acme", scopes: ["plans:read"] });
 * const { id } = crossTenant.delegate({
 *   from: { orgId: "acme", principal: "account:ada" },
 *   to: { orgId: "globex", principal: "account:bob" },
 *   narrowedScopes: ["plans:read"],
 * });
 * startTenantWorkers({ tenants, system, otherQueues: crossTenant.queues });
 * ```
 */
export function createCrossTenantDelegations(options: CrossTenantOptions): CrossTenantDelegations {
  const { tenants, maxAttempts = 20, baseBackoffMs = 5_000 } = options;
  requireWhole("maxAttempts", maxAttempts, [1, 1_000]);
  requireWhole("baseBackoffMs", baseBackoffMs, [0, LONGEST_BACKOFF_MS]);
  const { clock = { now: () => Date.now() } } = options;
  const backoff = {
    kind: "exponential",
    baseMs: baseBackoffMs,
    maxMs: LONGEST_BACKOFF_MS,
  } as const;
  const context: CrossTenantContext = { tenants, clock, maxAttempts, backoff };
  const inFile = <T>(orgId: string, read: (db: TenantDatabase) => T): T =>
    tenants.withTenant(orgId, read);
  return {
    delegate: (input) => delegate(context, input),
    revoke: (orgId, id) => inFile(orgId, (tenant) => revoke(context, tenant, id)),
    get: (orgId, id) => inFile(orgId, ({ $client }) => readOutgoing($client, id)),
    list: (orgId, list = {}) => inFile(orgId, ({ $client }) => listOutgoing($client, list)),
    listIncoming: (orgId, page = {}) => inFile(orgId, ({ $client }) => listIncoming($client, page)),
    allow: (orgId, consent) => inFile(orgId, (tenant) => allow(context, tenant, consent)),
    disallow: (orgId, from) => inFile(orgId, (tenant) => disallow(context, tenant, from)),
    consents: (orgId) => inFile(orgId, ({ $client }) => listConsents($client)),
    reconcile: async (orgId, { signal } = {}) =>
      tenants.withTenant(orgId, (tenant) => reconcile(context, { tenant, orgId, signal })),
    queues: {
      [DELEGATION_OUTBOX]: (tenant, orgId) => {
        requireTenants(orgId);
        return (job, { complete }) => {
          deliver(context, tenant, { job: job as Job<DelegationMessage>, complete });
        };
      },
      [RECONCILE_QUEUE]: (tenant, orgId) => {
        requireTenants(orgId);
        return async (_job, { signal, complete }) => {
          const found = await reconcile(context, { tenant, orgId, signal });
          complete(() => countsOf(found));
        };
      },
    },
    schedule: {
      name: RECONCILE_QUEUE,
      expression: "30 3 * * *",
      queue: RECONCILE_QUEUE,
      payload: {},
    },
  };
}

/** A worker of one file has no id of it. @throws StorageError `INVALID_ARGUMENT` */
function requireTenants(orgId: string | null): asserts orgId is string {
  if (orgId !== null) return;
  throw new StorageError("INVALID_ARGUMENT", "workers of one file cannot reach another file", {
    hint: "Start the workers with { tenants, system }",
  });
}

function countsOf(found: readonly ReconciledDelegation[]): Record<DelegationVerdict, number> {
  const counts = { applied: 0, "not-applied": 0, expired: 0, "to-be-compensated": 0, unknown: 0 };
  for (const { verdict } of found) counts[verdict] += 1;
  return counts;
}
