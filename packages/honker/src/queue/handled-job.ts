import type { RunningJob } from "./running-job.ts";
import type { Settlement } from "./settlement.ts";

/** A job whose handler is done, and what is to become of it. */
export type HandledJob =
  | { readonly run: RunningJob; readonly end: "ack"; readonly result: string | undefined }
  | { readonly run: RunningJob; readonly end: "retry" | "fail"; readonly error: unknown }
  | { readonly run: RunningJob; readonly end: "release" };

/** Writes it down. False when the claim was lost meanwhile. */
export function settle(settlement: Settlement, handled: HandledJob): boolean {
  const { claim } = handled.run.job;
  switch (handled.end) {
    case "ack":
      return settlement.ack(claim, handled.result);
    case "retry":
      return settlement.retry(claim, handled.error);
    case "fail":
      return settlement.fail(claim, handled.error);
    case "release":
      return settlement.release(claim, true);
  }
}
