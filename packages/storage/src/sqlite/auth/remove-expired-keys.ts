import type { SystemDatabase } from "../client.ts";

const REMOVE = `DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys
  WHERE expires_at < ? OR revoked_at < ? ORDER BY id LIMIT ?)`;

/**
 * Deletes keys that ended before a moment, by expiry or revocation; the audit trail keeps what they did. In
 * the open transaction if there is one.
 *
 * @param endedBefore milliseconds since 1970
 * @param limit most keys
 * @returns how many were deleted
 */
export function removeExpiredKeys(
  system: SystemDatabase,
  endedBefore: number,
  limit: number,
): number {
  const seconds = Math.floor(endedBefore / 1_000);
  return system.$client.prepare(REMOVE).run([seconds, seconds, limit]).changes;
}
