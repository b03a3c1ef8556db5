import { StorageError } from "../../errors.ts";

/** Which backups of a tenant are kept: those that any of the rules keeps. The newest always is. */
export interface BackupRetention {
  /** The newest so many, default 3. */
  readonly last?: number;
  /** The newest of each of the last so many days (UTC) that have one, default 7. */
  readonly daily?: number;
  /** The newest of each of the last so many weeks (from Monday, UTC) that have one, default 4. */
  readonly weekly?: number;
}

const DAY_MS = 86_400_000;
/** 1970-01-01 was a Thursday. */
const MONDAY_MS = 3 * DAY_MS;

/** Those of a tenant's backups that no rule keeps, oldest first. */
export function expiredBackups<T extends { readonly takenAt: Date }>(
  backups: readonly T[],
  { last = 3, daily = 7, weekly = 4 }: BackupRetention,
): T[] {
  const newestFirst = backups.toSorted((a, b) => b.takenAt.getTime() - a.takenAt.getTime());
  const kept = new Set([
    ...newestFirst.slice(0, Math.max(last, 1)),
    ...newestOfEach(newestFirst, daily, ({ takenAt }) => Math.floor(takenAt.getTime() / DAY_MS)),
    ...newestOfEach(newestFirst, weekly, ({ takenAt }) =>
      Math.floor((takenAt.getTime() + MONDAY_MS) / (7 * DAY_MS)),
    ),
  ]);
  return newestFirst.filter((backup) => !kept.has(backup)).reverse();
}

/** @throws {@link StorageError} `INVALID_ARGUMENT` */
export function requireRetention(retention: BackupRetention): void {
  for (const [name, count] of Object.entries(retention)) {
    if (count === undefined || (Number.isSafeInteger(count) && count >= 0)) continue;
    throw new StorageError(
      "INVALID_ARGUMENT",
      `${name} of the retention of backups must be a whole number from 0, got ${String(count)}`,
    );
  }
}

function newestOfEach<T>(
  newestFirst: readonly T[],
  count: number,
  spanOf: (one: T) => number,
): T[] {
  const newest = new Map<number, T>();
  for (const one of newestFirst) {
    const span = spanOf(one);
    if (newest.has(span)) continue;
    if (newest.size >= count) break;
    newest.set(span, one);
  }
  return [...newest.values()];
}
