import type { Core } from "../core/core.ts";
import type { ClaimedJob } from "./job.ts";
import { leaseLost, type RunningJobs } from "./running-jobs.ts";
import type { Settlement } from "./settlement.ts";

/** Least time between two looks whether running jobs are still held, in milliseconds. */
const LOOK_EVERY_MS = 10;

/** What a {@link ClaimKeeper} asks of its worker. */
export interface ClaimKeeperHost {
  readonly core: Core;
  readonly settlement: Settlement;
  readonly visibilityTimeoutSeconds: number;
  /** Whether somebody's transaction is open, so that nothing may be read or written now. */
  busy(): boolean;
  running(): Iterable<RunningJobs>;
  /** All jobs the worker holds: running, waiting for a handler, or waiting for their end to be written. */
  held(): readonly ClaimedJob<unknown>[];
  report(error: unknown): void;
}

/**
 * Renews the claims of a worker and aborts the handlers of jobs that it no longer holds. It has timers
 * only while something is held.
 */
export class ClaimKeeper {
  readonly #host: ClaimKeeperHost;
  #renewal: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  #missedRenewal = false;

  constructor(host: ClaimKeeperHost) {
    this.#host = host;
  }

  /** Call it when jobs were claimed. */
  start(): void {
    // a third, so that one missed renewal loses nothing
    const everyMs = (this.#host.visibilityTimeoutSeconds * 1_000) / 3;
    this.#renewal ??= setInterval(() => this.#renew(), everyMs);
  }

  /** Call it when something may have changed: many calls in a row are one look. */
  lookSoon(): void {
    if (this.#missedRenewal) this.#renew();
    if (this.#look !== undefined || this.#renewal === undefined) return;
    this.#look = setTimeout(() => {
      this.#look = undefined;
      this.#abortLost();
    }, LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#renewal);
    clearTimeout(this.#look);
    this.#renewal = undefined;
    this.#look = undefined;
  }

  #renew(): void {
    const { core, settlement, visibilityTimeoutSeconds } = this.#host;
    // in somebody's transaction it could be rolled back; the worker calls lookSoon() when that ends
    this.#missedRenewal = this.#host.busy();
    if (this.#missedRenewal) return;
    const jobs = this.#host.held();
    if (jobs.length === 0) {
      this.stop();
      return;
    }
    try {
      core.transaction(() => {
        for (const { claim } of jobs) settlement.extend(claim, visibilityTimeoutSeconds);
      });
    } catch (error) {
      this.#host.report(error);
    }
    this.#abortLost();
  }

  #abortLost(): void {
    if (this.#host.busy()) return;
    try {
      for (const run of this.#host.running()) {
        if (run.completed || run.aborted) continue;
        const open = run.jobs.filter((job) => !job.ended);
        const [first] = open;
        if (first === undefined) continue;
        // a batch goes on while any of its jobs is held
        if (open.some(({ claim }) => this.#host.settlement.isHeld(claim))) continue;
        run.abort(leaseLost(first, "go on"));
      }
    } catch (error) {
      this.#host.report(error);
    }
  }
}
