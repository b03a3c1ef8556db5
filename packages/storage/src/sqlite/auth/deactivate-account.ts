import { and, eq, isNull } from "drizzle-orm";
import type { SystemDatabase } from "../client.ts";
import { apiKeys } from "../tables/identity/api-keys.ts";
import { organizations } from "../tables/identity/organizations.ts";
import { peerCredentials } from "../tables/identity/peer-credentials.ts";
import type { TenantManager } from "../tenants/tenant-manager.ts";
import { requireAccount, updateAccount } from "./accounts.ts";
import { revokeApiKey } from "./api-keys.ts";
import type { Actor } from "./audit.ts";
import { revokePeerKey } from "./peer-credentials.ts";

/** How an account is deactivated. */
export interface DeactivateAccountOptions {
  /** Suspends the active tenants of the organisations that it owns. Left out, they go on. */
  readonly tenants?: TenantManager;
  /** Who does it. Default: the account itself. */
  readonly by?: Actor;
  /** Milliseconds since 1970, default now. */
  readonly now?: number;
}

/** What {@link deactivateAccount} did. */
export interface Deactivation {
  readonly revokedKeys: number;
  readonly revokedPeerKeys: number;
  /** Organisations whose tenant was suspended. */
  readonly suspended: readonly string[];
  /** Organisations that it owns and that go on, or had no active tenant. */
  readonly kept: readonly string[];
}

/**
 * Ends an account for good, in one commit: its status, all its keys, and by default nothing else. What it
 * owned waits for `transferOrganization`. Done twice it is done once.
 *
 * @throws StorageError `NOT_FOUND`
 */
export function deactivateAccount(
  system: SystemDatabase,
  accountId: string,
  { tenants, by, now = Date.now() }: DeactivateAccountOptions = {},
): Deactivation {
  const how = { now, ...(by === undefined ? {} : { by }) };
  return system.transaction(() => {
    if (requireAccount(system, accountId).status !== "deactivated") {
      updateAccount(system, accountId, { ...how, changes: { status: "deactivated" } });
    }
    const keys = system
      .select({ id: apiKeys.id })
      .from(apiKeys)
      .where(and(eq(apiKeys.ownerId, accountId), isNull(apiKeys.revokedAt)))
      .all();
    const peerKeys = system
      .select({ id: peerCredentials.id })
      .from(peerCredentials)
      .where(and(eq(peerCredentials.ownerId, accountId), isNull(peerCredentials.revokedAt)))
      .all();
    for (const { id } of keys) revokeApiKey(system, id, how);
    for (const { id } of peerKeys) revokePeerKey(system, id, how);
    const owned = ownedBy(system, accountId);
    const suspended = owned.filter((orgId) => tenants?.get(orgId)?.state === "active");
    for (const orgId of suspended) tenants?.suspend(orgId);
    return {
      revokedKeys: keys.length,
      revokedPeerKeys: peerKeys.length,
      suspended,
      kept: owned.filter((orgId) => !suspended.includes(orgId)),
    };
  });
}

function ownedBy(system: SystemDatabase, accountId: string): string[] {
  return system
    .select({ id: organizations.id })
    .from(organizations)
    .where(eq(organizations.ownerId, accountId))
    .orderBy(organizations.id)
    .all()
    .map(({ id }) => id);
}
