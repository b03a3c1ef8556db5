import { StorageError } from "../../errors.ts";
import type { SystemDatabase } from "../client.ts";
import { apiKeyOperations } from "../operations/tables/api-keys.ts";
import { requireActiveAccount } from "./accounts.ts";
import { newApiKey } from "./api-key-format.ts";
import { type ApiKeyInfo, insertApiKey, type NewApiKey, requireApiKey } from "./api-keys.ts";
import { type Actor, recordAudit } from "./audit.ts";
import { callTable } from "./call-table.ts";
import { copyLimits, type KeyLimits } from "./key-limits.ts";
import { requireFuture } from "./moment.ts";

/** How a key is rotated. */
export interface RotateApiKeyOptions {
  /** Seconds that the old key stays valid beside the new one; 0 ends it at once. */
  readonly graceSeconds: number;
  /** When the new key stops. Default: after as long a life as the old one was given, or never. */
  readonly expiresAt?: Date;
  /** Who does it. Default: the owner. */
  readonly by?: Actor;
  /** Milliseconds since 1970, default now. */
  readonly now?: number;
}

/**
 * Makes a key that takes over from another: same owner, name and limits. The old one is valid until the
 * grace is over, or until it would have ended anyway. Both changes are one commit: there is no moment
 * without a valid key.
 *
 * @throws StorageError `NOT_FOUND`; `CREDENTIAL_STATE` for a key that is revoked, expired, disabled or was
 * rotated before; `ACCOUNT_STATE`, `INVALID_ARGUMENT`
 * @example
 * ```ts
 * const { key } = rotateApiKey(system, oldId, { graceSeconds: 86_400 });
 * ```
 */
export function rotateApiKey(
  system: SystemDatabase,
  id: string,
  options: RotateApiKeyOptions,
): NewApiKey {
  const key = newApiKey();
  return { id: replaceApiKey(system, id, { ...options, key }), key };
}

/** Writes the rotation to a key that was made before, and returns its id. @throws as {@link rotateApiKey} */
export function replaceApiKey(
  system: SystemDatabase,
  id: string,
  options: RotateApiKeyOptions & { readonly key: string },
): string {
  const { graceSeconds, by, key, now = Date.now() } = options;
  requireGrace(graceSeconds);
  requireFuture(options.expiresAt, now);
  return system.transaction(() => {
    const old = requireUsable(requireApiKey(system, id), now);
    requireActiveAccount(system, old.ownerId, "rotate a key");
    const { ownerId, name } = old;
    const expiresAt = options.expiresAt ?? sameLife(old, now);
    const newId = insertApiKey(system, { ownerId, key, name, expiresAt });
    copyLimits(system.$client, id, newId);
    const graceEnds = now + graceSeconds * 1_000;
    const ends = Math.min(old.expiresAt?.getTime() ?? graceEnds, graceEnds);
    callTable({ system, operations: apiKeyOperations }, "update", {
      id,
      changes: { rotatedToId: newId, expiresAt: new Date(ends).toISOString() },
    });
    recordAudit(system, {
      action: "api_key.rotated",
      by: by ?? { accountId: ownerId },
      details: { keyId: id, rotatedToId: newId, ownerId, graceSeconds },
    });
    return newId;
  });
}

type StoredKey = Omit<ApiKeyInfo, keyof KeyLimits>;

function sameLife({ createdAt, expiresAt }: StoredKey, now: number): Date | null {
  return expiresAt === null ? null : new Date(now + expiresAt.getTime() - createdAt.getTime());
}

function requireUsable(key: StoredKey, now: number): StoredKey {
  const state = stateOf(key, now);
  if (state === null) return key;
  throw new StorageError("CREDENTIAL_STATE", `cannot rotate API key "${key.id}": it ${state}`, {
    hint: "Make a new one with createApiKey",
    details: { keyId: key.id, rotatedToId: key.rotatedToId },
  });
}

function stateOf(key: StoredKey, now: number): string | null {
  if (key.rotatedToId !== null) return `was rotated to "${key.rotatedToId}"`;
  if (key.revokedAt !== null) return "is revoked";
  if (!key.enabled) return "is disabled";
  return key.expiresAt !== null && key.expiresAt.getTime() <= now ? "has expired" : null;
}

/** A year. */
const LONGEST_GRACE = 31_536_000;

function requireGrace(graceSeconds: number): void {
  if (Number.isFinite(graceSeconds) && graceSeconds >= 0 && graceSeconds <= LONGEST_GRACE) return;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `graceSeconds is ${graceSeconds}, not a number from 0 to ${LONGEST_GRACE}`,
  );
}
