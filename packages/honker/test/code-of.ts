import { HonkerError, type HonkerErrorCode } from "@alkdev/honker";

/** The code of the HonkerError that `work` throws; anything else fails the test. */
export function codeOf(work: () => unknown): HonkerErrorCode | "nothing was thrown" {
  try {
    work();
  } catch (error) {
    if (error instanceof HonkerError) return error.code;
    throw error;
  }
  return "nothing was thrown";
}
