import type { Closable } from "../core/closable.ts";
import type { Core } from "../core/core.ts";
import { encodePayload } from "../core/json.ts";
import { HonkerError } from "../errors.ts";
import type { MessageChannel } from "../telemetry/process-timer.ts";
import { traceProcess } from "../telemetry/tracing.ts";
import type { Waiter } from "../wake/wake.ts";
import { ClaimKeeper } from "./claim-keeper.ts";
import { type HandledJobs, settle } from "./handled-jobs.ts";
import type { ClaimedJob } from "./job.ts";
import { Prefetch } from "./prefetch.ts";
import type { QueueSettings } from "./queue-options.ts";
import { isThenable, leaseLost, RunningJobs, resultName } from "./running-jobs.ts";
import type { Settlement } from "./settlement.ts";
import type { BatchHandler, JobHandler, WorkSettings } from "./worker-options.ts";

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
const RETRY_FASTEST_MS = 50;
const RETRY_SLOWEST_MS = 5_000;

/** A running worker; made by `queue.work()`. */
export class Worker implements Closable, AsyncDisposable {
  /** The worker's name in claims and history. */
  readonly id: string;
  /** Resolves when the worker has stopped. */
  readonly stopped: Promise<void>;
  readonly #handler: JobHandler<unknown> | BatchHandler<unknown>;
  readonly #settings: WorkSettings;
  readonly #channel: MessageChannel;
  readonly #host: WorkerHost;
  readonly #prefetch: Prefetch;
  readonly #keeper: ClaimKeeper;
  readonly #running = new Set<RunningJobs>();
  readonly #endCallbacks: (() => void)[] = [];
  readonly #onAbort = (): void => void this.stop();
  #resolveStopped: () => void = () => undefined;
  #runningJobs = 0;
  /** Claimed, not started; in order. */
  #waiting: ClaimedJob<unknown>[] = [];
  /** Done, and not yet written down. */
  #handled: HandledJobs[] = [];
  #state: "working" | "stopping" | "stopped" = "working";
  #starting = false;
  #tick: NodeJS.Immediate | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #giveBack: NodeJS.Timeout | undefined;
  #stopTimer: NodeJS.Timeout | undefined;
  #retryMs = RETRY_FASTEST_MS;

  /** @internal Use `queue.work()`. */
  constructor(
    handler: JobHandler<unknown> | BatchHandler<unknown>,
    settings: WorkSettings,
    host: WorkerHost,
  ) {
    this.id = settings.worker;
    this.#handler = handler;
    this.#settings = settings;
    this.#host = host;
    this.#channel = { kind: "queue", name: host.name };
    this.#prefetch = new Prefetch(settings.prefetch);
    this.#keeper = new ClaimKeeper({
      core: host.core,
      settlement: host.settlement,
      visibilityTimeoutSeconds: host.settings.visibilityTimeoutSeconds,
      busy: () => host.waiter.held(),
      running: () => this.#running,
      held: () => [
        ...[...this.#running].flatMap((run) => run.jobs),
        ...this.#handled.flatMap(({ run }) => run.jobs),
        ...this.#waiting,
      ],
      report: (error) => this.#report(error),
    });
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    if (settings.signal?.aborted) {
      this.#end();
      return;
    }
    settings.signal?.addEventListener("abort", this.#onAbort, { once: true });
    void this.#watch();
    this.#tickSoon();
  }

  /** Jobs whose handler runs now. */
  get running(): number {
    return this.#runningJobs;
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
    this.#stopTimer = setTimeout(() => this.#abortAll(), this.#settings.stopTimeoutMs);
    this.#releaseWaiting();
    if (this.#running.size === 0) this.#turn();
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

  onEnd(callback: () => void): void {
    if (this.#state === "stopped") callback();
    else this.#endCallbacks.push(callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #watch(): Promise<void> {
    const { waiter } = this.#host;
    while ((await waiter.wait()) !== "closed") {
      this.#keeper.lookSoon();
      this.#turn();
    }
    this.close();
  }

  #tickSoon(): void {
    this.#tick ??= setImmediate(() => {
      this.#tick = undefined;
      this.#turn();
    });
  }

  /** Ends handled jobs in one transaction, claims as many as there is room for, starts them. */
  #turn(): void {
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
    if (this.#state === "stopping" && this.#running.size + this.#handled.length === 0) this.#end();
  }

  #settle(): void {
    const all = this.#handled;
    if (all.length === 0) return;
    this.#handled = [];
    const { settlement } = this.#host;
    const lost: ClaimedJob<unknown>[] = [];
    try {
      settlement.group(() => {
        for (const handled of all) {
          for (const job of handled.run.jobs) {
            const written = settle(settlement, handled, job.claim);
            // a handler may have ended its job by itself: job.ack(), job.retry(), job.fail()
            if (!written && !job.ended && !handled.run.aborted) lost.push(job);
          }
        }
      });
    } catch (error) {
      this.#handled = [...all, ...this.#handled];
      throw error;
    }
    for (const job of lost) this.#report(leaseLost(job, "end it"));
  }

  #claim(): void {
    clearTimeout(this.#deadline);
    if (this.#waiting.length > 0) return;
    const { concurrency, batchSize } = this.#settings;
    const room = concurrency * batchSize + this.#prefetch.size() - this.#runningJobs;
    if (room <= 0) return;
    this.#waiting = this.#host.claim(this.id, room);
    if (this.#waiting.length > 0) this.#keepClaims();
    if (this.#waiting.length === room) return;
    const deadline = this.#host.nextDeadlineMs();
    if (deadline === undefined) return;
    const delay = Math.min(Math.max(deadline - this.#host.core.nowMs(), 1), 2_147_483_647);
    this.#deadline = setTimeout(() => this.#turn(), delay);
  }

  /** Renews claims while there are any, and gives jobs back that were claimed too far ahead. */
  #keepClaims(): void {
    this.#keeper.start();
    clearTimeout(this.#giveBack);
    this.#giveBack = undefined;
    const { concurrency, batchSize } = this.#settings;
    if (this.#waiting.length + this.#runningJobs <= concurrency * batchSize) return;
    this.#giveBack = setTimeout(() => {
      if (this.#waiting.length === 0) return;
      this.#prefetch.tooMuch();
      this.#releaseWaiting();
    }, Prefetch.PATIENCE_MS);
  }

  #start(): void {
    // a handler that returns at once ends its job inside this loop
    if (this.#starting) return;
    this.#starting = true;
    while (
      this.#waiting.length > 0 &&
      this.#running.size < this.#settings.concurrency &&
      this.#state === "working"
    ) {
      this.#run(this.#waiting.splice(0, this.#settings.batchSize));
    }
    this.#starting = false;
  }

  #run(jobs: ClaimedJob<unknown>[]): void {
    const run = new RunningJobs(jobs, this.#host);
    this.#running.add(run);
    this.#runningJobs += jobs.length;
    let returned: unknown;
    try {
      returned = traceProcess(
        this.#channel,
        () => jobs,
        () =>
          this.#settings.batches
            ? (this.#handler as BatchHandler<unknown>)(jobs, run)
            : (this.#handler as JobHandler<unknown>)(jobs[0] as ClaimedJob<unknown>, run),
      );
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

  #succeeded(run: RunningJobs, value: unknown): void {
    const [job] = run.jobs;
    let result: string | undefined;
    try {
      const kept = value !== undefined && !this.#settings.batches && !run.completed;
      if (kept) result = encodePayload(value, resultName(job as ClaimedJob<unknown>));
    } catch (error) {
      // the same value would come again: trying again cannot help
      this.#ended({ run, end: "fail", error });
      return;
    }
    this.#ended({ run, end: "ack", result });
  }

  #failed(run: RunningJobs, error: unknown): void {
    const stopped = this.#state !== "working" && run.aborted;
    this.#ended(stopped ? { run, end: "release" } : { run, end: "retry", error });
  }

  #ended(handled: HandledJobs): void {
    const { run } = handled;
    if (run.abandoned) return;
    this.#running.delete(run);
    this.#runningJobs -= run.jobs.length;
    this.#prefetch.jobsEnded(run.jobs.length);
    if (!run.completed) this.#handled.push(handled);
    this.#start();
    this.#tickSoon();
  }

  #releaseWaiting(): void {
    const jobs = this.#waiting;
    this.#waiting = [];
    this.#release(jobs, false);
  }

  #abortAll(): void {
    for (const run of this.#running) run.abort(stopping(this.#host.name));
    this.#stopTimer = setTimeout(() => this.#abandonRunning(), ABORT_GRACE_MS);
  }

  #abandonRunning(): void {
    const runs = [...this.#running];
    this.#running.clear();
    this.#runningJobs = 0;
    for (const run of runs) run.abandoned = true;
    try {
      this.#settle();
    } catch (error) {
      this.#report(error);
    }
    const open = runs.filter((run) => !run.completed);
    this.#release(
      open.flatMap((run) => run.jobs),
      true,
    );
    this.#end();
  }

  #release(jobs: readonly ClaimedJob<unknown>[], started: boolean): void {
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
    this.#deadline = setTimeout(() => this.#turn(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_SLOWEST_MS);
  }

  #end(): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    for (const timer of [this.#deadline, this.#giveBack, this.#stopTimer]) clearTimeout(timer);
    clearImmediate(this.#tick);
    this.#keeper.stop();
    this.#host.waiter.close();
    this.#settings.signal?.removeEventListener("abort", this.#onAbort);
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
