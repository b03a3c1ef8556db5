import type { Worker } from "@alkdev/honker";
import {
  type CrossTenantDelegationInput,
  type CrossTenantDelegations,
  type CrossTenantOptions,
  createAcl,
  createCrossTenantDelegations,
  type SystemDatabase,
  type TenantManager,
} from "@alkdev/storage/sqlite";
import { eventually } from "@alkdev/testkit";
import { type TenantsSetup, tenantsSetup } from "./tenants-setup.ts";

/** Name of the queue that carries delegations. */
export const OUTBOX = "_outbox:cross-tenant";

export interface CrossTenant {
  readonly system: SystemDatabase;
  readonly tenants: TenantManager;
  readonly setup: TenantsSetup;
  readonly crossTenant: CrossTenantDelegations;
  /** Works on the outbox of an organisation, default acme, until something holds, default that it is empty. */
  deliver(options?: DeliverOptions): Promise<void>;
  /** What bob of globex may do. */
  scopes(): readonly string[];
}

/** Whose outbox is worked on, and until when. */
export interface DeliverOptions {
  readonly orgId?: string;
  readonly until?: () => boolean;
}

/** From ada of acme, who holds all plans, to bob of globex. */
export const DELEGATION: CrossTenantDelegationInput = {
  id: "intent-1",
  from: { orgId: "acme", principal: "account:ada" },
  to: { orgId: "globex", principal: "account:bob" },
  narrowedScopes: ["plans:read"],
};

/** Principals of both organisations, and globex's consent. */
export function preparePrincipals(tenants: TenantManager): void {
  tenants.withTenant("acme", (db) => {
    createAcl(db).putPrincipal("account:ada", { scopes: ["plans:*", "notes:*"] });
  });
  tenants.withTenant("globex", (db) => {
    createAcl(db).putPrincipal("account:bob", { scopes: ["own:thing"] });
  });
}

/** Two organisations whose tenants are there. */
export function crossTenantFixture(options: Partial<CrossTenantOptions> = {}): CrossTenant {
  const setup = tenantsSetup(["acme", "globex", "other"]);
  const tenants = setup.manager();
  for (const orgId of ["acme", "globex"]) tenants.create(orgId);
  preparePrincipals(tenants);
  const crossTenant = createCrossTenantDelegations({
    tenants,
    maxAttempts: 3,
    baseBackoffMs: 1,
    ...options,
  });
  crossTenant.allow("globex", { from: "acme", scopes: ["plans:*"] });
  return {
    system: setup.system,
    tenants,
    setup,
    crossTenant,
    deliver: (deliver) => deliverAll(tenants, crossTenant, deliver),
    scopes: () => scopesOf(tenants),
  };
}

/** What bob of globex may do now. */
export function scopesOf(tenants: TenantManager): readonly string[] {
  return tenants.withTenant("globex", (db) => {
    return createAcl(db).identityOf("account:bob")?.scopes ?? [];
  });
}

/** Works on an outbox. */
export async function deliverAll(
  tenants: TenantManager,
  crossTenant: CrossTenantDelegations,
  { orgId = "acme", until }: DeliverOptions = {},
): Promise<void> {
  const handle = tenants.open(orgId);
  const queue = handle.db.$client.queue(OUTBOX);
  const handler = crossTenant.queues[OUTBOX]?.(handle.db, orgId);
  if (handler === undefined) throw new Error("there is no handler");
  const worker: Worker = queue.work(handler);
  const isEmpty = (): boolean => queue.stats().pending + queue.stats().running === 0;
  try {
    await eventually("it is delivered", until ?? isEmpty);
  } finally {
    await worker.stop();
    handle.close();
  }
}

/** Removes a tenant for good. */
export async function purge({ setup, tenants }: CrossTenant, orgId: string): Promise<void> {
  const impatient = setup.manager({ graceSeconds: 0 });
  impatient.delete(orgId, { confirm: orgId });
  await eventually("it is purged", () => {
    tenants.evict(orgId);
    impatient.purgeDue();
    return impatient.get(orgId) === null;
  });
}
