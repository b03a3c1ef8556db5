import { StorageError } from "../../errors.ts";

/** A moment as the operations of tables take it. @throws StorageError `INVALID_ARGUMENT` */
export function isoOf(moment: Date): string {
  if (moment instanceof Date && Number.isFinite(moment.getTime())) return moment.toISOString();
  throw new StorageError("INVALID_ARGUMENT", "a moment must be a valid Date");
}

/** Refuses an expiry that would make something useless from the start. @throws StorageError `INVALID_ARGUMENT` */
export function requireFuture(expiresAt: Date | undefined, now: number): void {
  if (expiresAt === undefined || Date.parse(isoOf(expiresAt)) > now) return;
  throw new StorageError("INVALID_ARGUMENT", `expiresAt is ${isoOf(expiresAt)}, not in the future`);
}
