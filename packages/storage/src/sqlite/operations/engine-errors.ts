import { HonkerError } from "@alkdev/honker";
import { CallError, type ErrorDefinition } from "@alkdev/operations";

/** Failures of the engine that a caller can do something about, by its codes. */
const ANSWERS: Readonly<Record<string, ErrorDefinition>> = {
  BUSY: {
    code: "BUSY",
    description: "Another process keeps the write lock; try again.",
    httpStatus: 503,
  },
  DISK_FULL: {
    code: "STORAGE_FULL",
    description: "The file cannot grow: its disk or its quota is full.",
    httpStatus: 507,
  },
};

/** What every operation of a table can end with. */
export const ENGINE_ERRORS: readonly ErrorDefinition[] = Object.values(ANSWERS);

/**
 * Runs `work`; failures of the engine become errors for the caller, whose own messages name files.
 *
 * @throws CallError `BUSY`, `STORAGE_FULL`
 */
export function answering<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const answer = cause instanceof HonkerError ? ANSWERS[cause.code] : undefined;
    if (answer === undefined) throw cause;
    throw new CallError(answer.code, answer.description, { cause });
  }
}
