import { type Closable, onEnd } from "../core/closable.ts";
import type { Core } from "../core/core.ts";
import { encodePayload } from "../core/json.ts";
import { requireName, requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import type { Waiter } from "../wake/wake.ts";
import { type HandledJob, settle } from "./handled-job.ts";
import type { ClaimedJob } from "./job.ts";
import { Prefetch } from "./prefetch.ts";
import type { QueueSettings } from "./queue-options.ts";
import { isThenable, leaseLost, RunningJob, resultName } from "./running-job.ts";
import type { Settlement } from "./settlement.ts";
import { defaultWorkerId } from "./worker-id.ts";
import type { JobHandler, WorkOptions } from "./worker-options.ts";

/** What a worker needs of its queue. */
export interface WorkerHost {
  readonly core: Core;
  readonly name: string;
  readonly waiter: Waiter;
  readonly settings: QueueSettings;
  readonly settlement: Settlement;
  claim(workerId: string, count: number): ClaimedJob<unknown>[];
  nextDeadlineMs(): number | undefined;
}

/** After an aborted signal, how long a handler may take to notice. */
const ABORT_GRACE_MS = 1_000;
/** Least time between two looks whether running jobs are still held. */
const LOOK_EVERY_MS = 10;
const RETRY_FASTEST_MS = 50;
const RETRY_SLOWEST_MS = 5_000;

/** A running worker; made by `queue.work()`. */
export class Worker implements Closable, AsyncDisposable {
  /** The worker's name in claims and history. */
  readonly id: string;
  /** Resolves when the worker has stopped. */
  readonly stopped: Promise<void>;
  readonly #handler: JobHandler<unknown>;
  readonly #host: WorkerHost;
  readonly #concurrency: number;
  readonly #stopTimeoutMs: number;
  readonly #prefetch: Prefetch;
  readonly #signal: AbortSignal | undefined;
  readonly #running = new Set<RunningJob>();
  readonly #endCallbacks: (() => void)[] = [];
  readonly #onAbort = (): void => void this.stop();
  #resolveStopped: () => void = () => undefined;
  /** Claimed, not started; in order. */
  #waiting: ClaimedJob<unknown>[] = [];
  #finished: HandledJob[] = [];
  #state: "working" | "stopping" | "stopped" = "working";
  #starting = false;
  #tick: NodeJS.Immediate | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  #giveBack: NodeJS.Timeout | undefined;
  #stopTimer: NodeJS.Timeout | undefined;
  #retryMs = RETRY_FASTEST_MS;

  /** @internal Use `queue.work()`. */
  constructor(handler: JobHandler<unknown>, options: WorkOptions, host: WorkerHost) {
    const { concurrency = 1, prefetch = 500, stopTimeoutMs = 30_000, worker } = options;
    if (typeof handler !== "function") {
      host.waiter.close();
      throw new HonkerError(
        "INVALID_ARGUMENT",
        `a job handler must be a function, got ${typeof handler}`,
      );
    }
    try {
      requireNumber(concurrency, "concurrency", { min: 1, max: 10_000, integer: true });
      requireNumber(prefetch, "prefetch", { min: 0, max: 10_000, integer: true });
      requireNumber(stopTimeoutMs, "stopTimeoutMs", { min: 0, max: 2_147_483_647 });
      if (worker !== undefined) requireName(worker, "worker");
    } catch (error) {
      host.waiter.close();
      throw error;
    }
    this.id = worker ?? defaultWorkerId();
    this.#handler = handler;
    this.#host = host;
    this.#concurrency = concurrency;
    this.#stopTimeoutMs = stopTimeoutMs;
    this.#prefetch = new Prefetch(prefetch);
    this.#signal = options.signal;
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    if (this.#signal?.aborted) {
      this.#end();
      return;
    }
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    void this.#watch();
    this.#tickSoon();
  }

  /** Jobs whose handler runs now. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * Claims no more, gives back what was claimed and not started, waits for running handlers as long as
   * `stopTimeoutMs` says, and resolves. It always resolves and never rejects. Idempotent. Do not await
   * it inside a handler of the same worker: it would wait for itself.
   */
  stop(): Promise<void> {
    if (this.#state !== "working") return this.stopped;
    this.#state = "stopping";
    clearTimeout(this.#deadline);
    this.#releaseWaiting();
    if (this.#running.size === 0) {
      this.#settleAndClaim();
      return this.stopped;
    }
    this.#stopTimer = setTimeout(() => this.#abortAll(), this.#stopTimeoutMs);
    return this.stopped;
  }

  /** Stops at once: signals are aborted and all claims given back. Used when the database closes. */
  close(): void {
    if (this.#state === "stopped") return;
    this.#state = "stopping";
    this.#releaseWaiting();
    for (const run of this.#running) run.abort(stopping(this.#host.name));
    this.#abandonRunning();
  }

  [onEnd](callback: () => void): void {
    if (this.#state === "stopped") callback();
    else this.#endCallbacks.push(callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #watch(): Promise<void> {
    const { waiter } = this.#host;
    while ((await waiter.wait()) !== "closed") {
      this.#lookSoon();
      this.#settleAndClaim();
    }
    this.close();
  }

  #tickSoon(): void {
    this.#tick ??= setImmediate(() => {
      this.#tick = undefined;
      this.#settleAndClaim();
    });
  }

  /** One turn: ends finished jobs in one transaction, claims as many as there is room for, starts them. */
  #settleAndClaim(): void {
    // in somebody's transaction our writes could be rolled back; we are woken when it ends
    if (this.#state === "stopped" || this.#host.waiter.held()) return;
    try {
      this.#settle();
      if (this.#state === "working") this.#claim();
      this.#retryMs = RETRY_FASTEST_MS;
    } catch (error) {
      this.#tryAgainLater(error);
    }
    this.#start();
    if (this.#state === "stopping" && this.#running.size + this.#finished.length === 0) this.#end();
  }

  #settle(): void {
    const finished = this.#finished;
    if (finished.length === 0) return;
    this.#finished = [];
    const { core, settlement } = this.#host;
    const lost: RunningJob[] = [];
    try {
      core.transaction(() => {
        for (const handled of finished) {
          if (!settle(settlement, handled)) lost.push(handled.run);
        }
      });
    } catch (error) {
      this.#finished = [...finished, ...this.#finished];
      throw error;
    }
    for (const run of lost) {
      // a handler may have ended its job by itself: job.ack(), job.retry(), job.fail()
      if (!run.aborted && !run.job.ended) this.#report(leaseLost(run.job, "end it"));
    }
  }

  #claim(): void {
    const { core } = this.#host;
    clearTimeout(this.#deadline);
    const held = this.#running.size + this.#waiting.length;
    const room = this.#concurrency + this.#prefetch.size() - held;
    if (room <= 0 || this.#waiting.length > 0) return;
    const jobs = this.#host.claim(this.id, room);
    this.#waiting = jobs;
    if (jobs.length > 0) this.#keepClaims();
    if (jobs.length === room) return;
    const deadline = this.#host.nextDeadlineMs();
    if (deadline === undefined) return;
    const delay = Math.min(Math.max(deadline - core.nowMs(), 1), 2_147_483_647);
    this.#deadline = setTimeout(() => this.#settleAndClaim(), delay);
  }

  #start(): void {
    // a handler that returns at once ends its job inside this loop
    if (this.#starting) return;
    this.#starting = true;
    let next = 0;
    while (
      next < this.#waiting.length &&
      this.#running.size < this.#concurrency &&
      this.#state === "working"
    ) {
      this.#run(this.#waiting[next++] as ClaimedJob<unknown>);
    }
    if (next > 0) this.#waiting = this.#waiting.slice(next);
    this.#starting = false;
  }

  #run(job: ClaimedJob<unknown>): void {
    const run = new RunningJob(job, this.#host);
    this.#running.add(run);
    let returned: unknown;
    try {
      returned = this.#handler(job, run);
    } catch (error) {
      this.#failed(run, error);
      return;
    }
    if (!isThenable(returned)) this.#succeeded(run, returned);
    else {
      returned.then(
        (value) => this.#succeeded(run, value),
        (error: unknown) => this.#failed(run, error),
      );
    }
  }

  #succeeded(run: RunningJob, value: unknown): void {
    let result: string | undefined;
    try {
      if (value !== undefined && !run.completed) result = encodePayload(value, resultName(run.job));
    } catch (error) {
      // the same value would come again: trying again cannot help
      this.#ended({ run, end: "fail", error });
      return;
    }
    this.#ended({ run, end: "ack", result });
  }

  #failed(run: RunningJob, error: unknown): void {
    const stopped = this.#state !== "working" && run.aborted;
    this.#ended(stopped ? { run, end: "release" } : { run, end: "retry", error });
  }

  #ended(handled: HandledJob): void {
    const { run } = handled;
    this.#running.delete(run);
    this.#prefetch.jobEnded();
    if (run.abandoned) return;
    if (!run.completed) this.#finished.push(handled);
    this.#start();
    this.#tickSoon();
  }

  /** Renews claims while any are held, and gives jobs back that were claimed too far ahead. */
  #keepClaims(): void {
    this.#heartbeat ??= setInterval(
      () => this.#renew(),
      (this.#host.settings.visibilityTimeoutSeconds * 1_000) / 3,
    );
    clearTimeout(this.#giveBack);
    if (this.#waiting.length <= this.#concurrency - this.#running.size) return;
    this.#giveBack = setTimeout(() => {
      this.#prefetch.tooMuch();
      this.#releaseWaiting();
    }, Prefetch.PATIENCE_MS);
  }

  #renew(): void {
    const { core, settlement, settings } = this.#host;
    const runs = [...this.#running, ...this.#finished.map(({ run }) => run)];
    if (runs.length + this.#waiting.length === 0) {
      clearInterval(this.#heartbeat);
      this.#heartbeat = undefined;
      return;
    }
    try {
      core.transaction(() => {
        for (const { job } of [...runs, ...this.#waiting.map((job) => ({ job }))]) {
          settlement.extend(job.claim, settings.visibilityTimeoutSeconds);
        }
      });
    } catch (error) {
      this.#report(error);
    }
    this.#lookForLost();
  }

  /** Many wakes in a row, one look: another process may commit thousands of times a second. */
  #lookSoon(): void {
    if (this.#running.size === 0 || this.#look !== undefined) return;
    this.#look = setTimeout(() => {
      this.#look = undefined;
      this.#lookForLost();
    }, LOOK_EVERY_MS);
  }

  #lookForLost(): void {
    try {
      for (const run of this.#running) {
        if (run.completed || run.job.ended || run.aborted) continue;
        if (!this.#host.settlement.isHeld(run.job.claim)) run.abort(leaseLost(run.job, "go on"));
      }
    } catch (error) {
      this.#report(error);
    }
  }

  #releaseWaiting(): void {
    const jobs = this.#waiting;
    this.#waiting = [];
    this.#giveUp(jobs, false);
  }

  #abortAll(): void {
    for (const run of this.#running) run.abort(stopping(this.#host.name));
    this.#stopTimer = setTimeout(() => this.#abandonRunning(), ABORT_GRACE_MS);
  }

  #abandonRunning(): void {
    const runs = [...this.#running].filter((run) => !run.completed);
    for (const run of this.#running) run.abandoned = true;
    this.#running.clear();
    try {
      this.#settle();
    } catch (error) {
      this.#report(error);
    }
    this.#giveUp(
      runs.map((run) => run.job),
      true,
    );
    this.#end();
  }

  #giveUp(jobs: readonly ClaimedJob<unknown>[], started: boolean): void {
    if (jobs.length === 0) return;
    const { core, settlement } = this.#host;
    try {
      core.transaction(() => {
        for (const job of jobs) settlement.release(job.claim, started);
      });
    } catch (error) {
      // they come back when their claims run out
      this.#report(error);
    }
  }

  #tryAgainLater(error: unknown): void {
    this.#report(error);
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#settleAndClaim(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_SLOWEST_MS);
  }

  #end(): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    for (const timer of [this.#deadline, this.#look, this.#giveBack, this.#stopTimer]) {
      clearTimeout(timer);
    }
    clearInterval(this.#heartbeat);
    clearImmediate(this.#tick);
    this.#host.waiter.close();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    for (const callback of this.#endCallbacks) callback();
    this.#resolveStopped();
  }

  #report(error: unknown): void {
    this.#host.core.onError(error, `worker "${this.id}" of queue "${this.#host.name}"`);
  }
}

function stopping(queue: string): HonkerError {
  return new HonkerError(
    "CLOSED",
    `the worker of queue "${queue}" is stopping; the job is given back`,
  );
}
