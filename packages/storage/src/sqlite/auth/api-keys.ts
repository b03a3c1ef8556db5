import { and, eq, gt } from "drizzle-orm";
import { StorageError } from "../../errors.ts";
import type { SystemDatabase } from "../client.ts";
import type { Page } from "../graph-store/rows.ts";
import { apiKeyOperations } from "../operations/tables/api-keys.ts";
import { requireBatchSize } from "../require-batch-size.ts";
import { apiKeys } from "../tables/identity/api-keys.ts";
import { requireActiveAccount } from "./accounts.ts";
import { hashApiKey, newApiKey } from "./api-key-format.ts";
import { type Actor, recordAudit } from "./audit.ts";
import { callTable } from "./call-table.ts";
import { apiKeyLimits, type KeyLimits, limitKey, readLimits } from "./key-limits.ts";
import { isoOf, requireFuture } from "./moment.ts";

/** A new API key. */
export interface ApiKeyInput {
  /** The account that the key signs in. */
  readonly ownerId: string;
  readonly name?: string;
  /** When it stops, in whole seconds; default never. */
  readonly expiresAt?: Date;
  /** At most these scopes, whatever the owner holds: `graphs:read`, `graphs:*`. Default: all of them. */
  readonly scopes?: readonly string[];
  /** The only organisation it works in. Default: all of the owner's. */
  readonly orgId?: string;
  /** Who does it. Default: the owner. */
  readonly by?: Actor;
  /** Milliseconds since 1970, default now. */
  readonly now?: number;
}

/** A key that was made, shown this once. */
export interface NewApiKey {
  readonly id: string;
  /** Give it to whoever will use it; it cannot be read again. */
  readonly key: string;
}

/** A key as it may be shown: neither the key nor its hash. */
export interface ApiKeyInfo extends KeyLimits {
  readonly id: string;
  readonly ownerId: string;
  readonly name: string | null;
  readonly enabled: boolean;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** The key that took over from it. */
  readonly rotatedToId: string | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
}

/** Which keys. */
export interface ListApiKeysOptions {
  readonly ownerId: string;
  /** Most keys, default 100, at most 10,000. */
  readonly limit?: number;
  /** The cursor of the page before. */
  readonly cursor?: string | null;
}

/**
 * Makes an API key. Only its SHA-256 is stored: what is returned is all there will ever be of it.
 *
 * @throws StorageError `NOT_FOUND`, `ACCOUNT_STATE`, `INVALID_ARGUMENT`
 * @example
 * ```ts
 * const { id, key } = createApiKey(system, { ownerId: bot.id, name: "build", scopes: ["graphs:read"] });
 * ```
 */
export function createApiKey(system: SystemDatabase, input: ApiKeyInput): NewApiKey {
  const { ownerId, name, expiresAt, scopes = null, orgId = null, by, now = Date.now() } = input;
  requireFuture(expiresAt, now);
  const key = newApiKey();
  const id = system.transaction(() => {
    requireActiveAccount(system, ownerId, "make a key");
    const made = insertApiKey(system, { ownerId, key, name, expiresAt });
    limitKey(system.$client, made, { scopes, orgId });
    recordAudit(system, {
      action: "api_key.created",
      by: by ?? { accountId: ownerId },
      details: { keyId: made, ownerId },
    });
    return made;
  });
  return { id, key };
}

/** What {@link insertApiKey} writes. */
export interface ApiKeyRow {
  readonly ownerId: string;
  readonly key: string;
  readonly name: string | null | undefined;
  readonly expiresAt: Date | null | undefined;
}

/** Writes a key's row and returns its id. @throws StorageError `INVALID_ARGUMENT` */
export function insertApiKey(
  system: SystemDatabase,
  { ownerId, key, name, expiresAt }: ApiKeyRow,
): string {
  return callTable({ system, operations: apiKeyOperations }, "create", {
    ownerId,
    keyHash: hashApiKey(key),
    ...(name == null ? {} : { name }),
    ...(expiresAt == null ? {} : { expiresAt: isoOf(expiresAt) }),
  }).id;
}

/**
 * Ends a key at once: the next request with it is refused, also in other processes. False where it was
 * revoked before.
 *
 * @throws StorageError `NOT_FOUND`
 */
export function revokeApiKey(
  system: SystemDatabase,
  id: string,
  { by, now = Date.now() }: { readonly by?: Actor; readonly now?: number } = {},
): boolean {
  return system.transaction(() => {
    const { revokedAt, ownerId } = requireApiKey(system, id);
    if (revokedAt !== null) return false;
    callTable({ system, operations: apiKeyOperations }, "update", {
      id,
      changes: { revokedAt: isoOf(new Date(now)) },
    });
    recordAudit(system, {
      action: "api_key.revoked",
      by: by ?? { accountId: ownerId },
      details: { keyId: id, ownerId },
    });
    return true;
  });
}

/** Keys of an account, oldest first; those that no longer work too, until they are removed. */
export function listApiKeys(
  system: SystemDatabase,
  { ownerId, limit = 100, cursor = null }: ListApiKeysOptions,
): Page<ApiKeyInfo> {
  const most = requireBatchSize(limit);
  const rows = system
    .select(SHOWN)
    .from(apiKeys)
    .leftJoin(apiKeyLimits, eq(apiKeyLimits.keyId, apiKeys.id))
    .where(and(eq(apiKeys.ownerId, ownerId), cursor === null ? undefined : gt(apiKeys.id, cursor)))
    .orderBy(apiKeys.id)
    .limit(most + 1)
    .all();
  const items = rows
    .slice(0, most)
    .map(({ scopes, orgId, ...key }): ApiKeyInfo => ({ ...key, ...readLimits(scopes, orgId) }));
  return { items, cursor: rows.length > most ? (items.at(-1)?.id ?? null) : null };
}

const SHOWN = {
  id: apiKeys.id,
  ownerId: apiKeys.ownerId,
  name: apiKeys.name,
  enabled: apiKeys.enabled,
  createdAt: apiKeys.createdAt,
  expiresAt: apiKeys.expiresAt,
  revokedAt: apiKeys.revokedAt,
  rotatedToId: apiKeys.rotatedToId,
  lastUsedAt: apiKeys.lastUsedAt,
  scopes: apiKeyLimits.scopes,
  orgId: apiKeyLimits.orgId,
};

/** A key as it may be shown. @throws StorageError `NOT_FOUND` */
export function requireApiKey(
  system: SystemDatabase,
  id: string,
): Omit<ApiKeyInfo, keyof KeyLimits> {
  const { scopes: _, orgId: __, ...columns } = SHOWN;
  const key = system.select(columns).from(apiKeys).where(eq(apiKeys.id, id)).get();
  if (key !== undefined) return key;
  throw new StorageError("NOT_FOUND", `there is no API key "${id}"`, { details: { keyId: id } });
}
