import type { Job } from "@alkdev/honker";
import { StorageError, type StorageErrorCode } from "../../../errors.ts";

/** What may be otherwise the next time. */
const PASSING: readonly StorageErrorCode[] = ["CLOSED", "TENANT_BUSY", "TENANT_ELSEWHERE"];

/**
 * Runs a part of a job. What would fail the next time as well makes the job a dead letter at once.
 *
 * @returns whether it succeeded
 */
export function orFail(job: Job<unknown>, work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (!(error instanceof StorageError) || PASSING.includes(error.code)) throw error;
    job.fail(error);
    return false;
  }
}
