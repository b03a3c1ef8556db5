import { StorageError } from "../../errors.ts";
import { kindOf } from "./check-row.ts";
import type { ChangeOptions } from "./inputs.ts";

/** What a change is compared with. */
export interface Versioned {
  readonly revision: number;
  readonly updatedAt: Date;
}

/**
 * Refuses a change of a row that is not as its writer last saw it.
 *
 * @param subject What is changed: `node "task-1"`.
 * @throws StorageError `CONFLICT` with `expected` and `found`; `INVALID_ARGUMENT`
 */
export function requireUnchanged(
  subject: string,
  found: Versioned,
  { ifRevision, ifUpdatedAt }: ChangeOptions,
): void {
  if (ifRevision !== undefined) {
    if (!Number.isSafeInteger(ifRevision) || ifRevision < 1) {
      throw invalid("ifRevision", ifRevision, "a whole number from 1");
    }
    if (ifRevision !== found.revision) {
      throw conflict(subject, { what: "revision", expected: ifRevision, found: found.revision });
    }
  }
  if (ifUpdatedAt === undefined) return;
  if (!(ifUpdatedAt instanceof Date) || Number.isNaN(ifUpdatedAt.getTime())) {
    throw invalid("ifUpdatedAt", ifUpdatedAt, "a date");
  }
  const [expected, is] = [ifUpdatedAt, found.updatedAt].map(seconds);
  if (expected !== is) {
    const dates = { expected: ifUpdatedAt.toISOString(), found: found.updatedAt.toISOString() };
    throw conflict(subject, { what: "time of change", ...dates });
  }
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1_000);
}

interface Difference {
  readonly what: string;
  readonly expected: string | number;
  readonly found: string | number;
}

function conflict(subject: string, { what, expected, found }: Difference): StorageError {
  return new StorageError("CONFLICT", `${subject} has ${what} ${found}, not ${expected}`, {
    hint: "Somebody changed it since it was read; read it again",
    details: { subject, expected, found },
  });
}

function invalid(name: string, value: unknown, wanted: string): StorageError {
  const given = typeof value === "number" ? value : kindOf(value);
  return new StorageError("INVALID_ARGUMENT", `${name} is ${given}, not ${wanted}`);
}
