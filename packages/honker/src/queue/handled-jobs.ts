import type { RunningJobs } from "./running-jobs.ts";
import type { Claim, Settlement } from "./settlement.ts";

/** Jobs whose handler is done, and what is to become of them. */
export type HandledJobs = { readonly run: RunningJobs } & (
  | { readonly end: "ack"; readonly result: string | undefined }
  | { readonly end: "retry" | "fail"; readonly error: unknown }
  | { readonly end: "release" }
);

/** Writes it down for one of the jobs. False when its claim was lost meanwhile. */
export function settle(settlement: Settlement, handled: HandledJobs, claim: Claim): boolean {
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
