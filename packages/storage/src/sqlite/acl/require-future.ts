import { StorageError } from "../../errors.ts";

/**
 * Checks that something has not expired when it is written, which nobody means: seconds in place of
 * milliseconds are found by it.
 *
 * @throws StorageError `INVALID_ARGUMENT`
 */
export function requireFuture(expiresAt: number | undefined, now: number): void {
  if (expiresAt === undefined || expiresAt > now) return;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `expiresAt is ${expiresAt}, which is not after now, ${now}`,
    {
      hint: "It is in milliseconds since 1970",
      details: { expiresAt, now },
    },
  );
}
