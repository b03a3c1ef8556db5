import { setImmediate } from "node:timers/promises";
import type { Database, OfferedJob, Queue } from "@alkdev/honker";
import { TransferError } from "../errors.ts";
import { requireText, requireWhole } from "../import/import-options.ts";
import { shownUrl } from "../postgres/source.ts";
import type { TransferOptions } from "../progress.ts";
import { openRedis } from "../redis/redis-source.ts";
import { attemptsOf, type BullMqJob, enqueueOptions } from "./bullmq-job.ts";
import {
  BullMqQueue,
  type BullMqSchedule,
  type BullMqState,
  type FoundJob,
} from "./bullmq-queue.ts";

/** Options of `importBullMq()`. */
export interface ImportBullMqOptions extends TransferOptions {
  /** Where Redis is: `redis://:password@host:6379/0`. */
  readonly url: string;
  /** Name of the queue in BullMQ. */
  readonly queue: string;
  /** Prefix of BullMQ's keys, default `bull`. */
  readonly prefix?: string;
  /** The database that gets the jobs. You keep it. */
  readonly db: Database;
  /** The queue they go to, default the same name. */
  readonly into?: string;
  /**
   * Default false: jobs that a worker of BullMQ has in hand are reported and left. True: they wait here
   * too. Only when those workers are stopped for good: a job that both have would be done twice.
   */
  readonly takeActive?: boolean;
  /** What a job becomes. Default `{ name, data }`. */
  readonly payload?: (job: BullMqJob) => unknown;
  /** Jobs per commit, default 1,000. */
  readonly batchSize?: number;
}

/** A job that was not taken, and why. */
export interface LeftJob {
  readonly id: string;
  readonly state: BullMqState | "waiting-children";
  readonly reason: string;
}

/** What came over. JSON. */
export interface BullMqReport {
  readonly source: { readonly url: string; readonly prefix: string; readonly queue: string };
  readonly queue: string;
  /** Jobs that this call took, by the state they were in. Failed ones are dead letters. */
  readonly taken: Readonly<Record<BullMqState, number>>;
  /** Jobs that an earlier call had taken. */
  readonly known: number;
  /** Of the taken ones, those that another job waits for; it will not hear of them. */
  readonly withParent: number;
  readonly left: readonly LeftJob[];
  /** Repeatable jobs and job schedulers, to be added with `db.scheduler().add()`. */
  readonly schedules: readonly BullMqSchedule[];
  /** Completed jobs that BullMQ keeps. They are not taken: there is nothing left to do. */
  readonly completed: number;
}

const STATES: readonly BullMqState[] = ["waiting", "prioritized", "delayed", "failed", "active"];

/**
 * Brings the jobs of a queue of BullMQ into a queue of a database file (M38), with their order, priority,
 * run time, attempts and backoff; failed ones as dead letters. Each is taken once by its id, for ten
 * years: ended, killed or called again, it takes what is new, also when a job was done here meanwhile.
 *
 * Stop BullMQ's workers first, or pause its queue: jobs that they take are done there.
 *
 * @throws {@link TransferError} `INVALID_ARGUMENT`, `SOURCE_UNAVAILABLE`, `SOURCE_SHAPE` when there is no
 * such queue; the reason of `signal`; errors of Redis and of the engine
 * @example
 * ```ts
 * const report = await importBullMq({ url: "redis://127.0.0.1:6379", queue: "mails", db });
 * for (const { name, pattern } of report.schedules) console.log("add by hand:", name, pattern);
 * ```
 */
export async function importBullMq(options: ImportBullMqOptions): Promise<BullMqReport> {
  const { url, queue, prefix = "bull", db, takeActive = false, batchSize = 1_000 } = options;
  const { payload = ({ name, data }: BullMqJob) => ({ name, data }), signal, onProgress } = options;
  requireText(url, "url");
  requireText(queue, "queue");
  requireWhole(batchSize, "batchSize", 100_000);
  const into = requireText(options.into ?? queue, "into");
  const redis = await openRedis(url);
  try {
    const source = new BullMqQueue(redis, prefix, queue);
    if (!(await source.exists())) {
      throw new TransferError("SOURCE_SHAPE", `BullMQ has no queue "${queue}" under "${prefix}"`, {
        details: { queue, prefix },
      });
    }
    const taker = new JobTaker(db.queue(into), `bullmq:${prefix}:${queue}`, {
      takeActive,
      payload,
    });
    for (const state of STATES) {
      let done = 0;
      for await (const jobs of source.jobs(state, batchSize)) {
        signal?.throwIfAborted();
        db.transaction(() => {
          for (const job of jobs) taker.take(state, job);
        });
        done += jobs.length;
        onProgress?.({ phase: "read", item: `${queue} ${state}`, done, total: null });
        await setImmediate();
      }
    }
    const parents = (await source.waitingForChildren()).map((id): LeftJob => {
      return { id, state: "waiting-children", reason: "it waits for its children" };
    });
    return {
      source: { url: shownUrl(url), prefix, queue },
      queue: into,
      taken: taker.taken,
      known: taker.known,
      withParent: taker.withParent,
      left: [...taker.left, ...parents],
      schedules: await source.schedules(),
      completed: await source.completed(),
    };
  } finally {
    redis.disconnect();
  }
}

type TakerOptions = Required<Pick<ImportBullMqOptions, "takeActive" | "payload">>;

/** Takes jobs, and counts what became of them. */
class JobTaker {
  readonly taken: Record<BullMqState, number> = {
    ...{ waiting: 0, prioritized: 0, delayed: 0, failed: 0, active: 0 },
  };
  readonly left: LeftJob[] = [];
  known = 0;
  withParent = 0;
  readonly #queue: Queue;
  readonly #source: string;
  readonly #options: TakerOptions;

  constructor(queue: Queue, source: string, options: TakerOptions) {
    this.#queue = queue;
    this.#source = source;
    this.#options = options;
  }

  take(state: BullMqState, found: FoundJob): void {
    const { id, job, problem } = found;
    const reason = problem ?? this.#reasonToLeave(state, job);
    if (reason !== null) this.left.push({ id, state, reason });
    if (reason !== null || job === null) return;
    const { outcome } = this.#offer(state, job, found.runAtMs);
    if (outcome !== "created") {
      this.known += 1;
      return;
    }
    this.taken[state] += 1;
    if (job.hasParent) this.withParent += 1;
  }

  #reasonToLeave(state: BullMqState, job: BullMqJob | null): string | null {
    if (job === null) return "it is gone since it was listed";
    if (state === "delayed" && job.isScheduled) return "its schedule made it, and is in schedules";
    if (state === "active" && !this.#options.takeActive) return "a worker of BullMQ has it";
    return null;
  }

  #offer(state: BullMqState, job: BullMqJob, runAtMs: number | null): OfferedJob {
    const payload = this.#options.payload(job);
    const options = enqueueOptions(job, this.#source);
    if (state !== "failed") {
      return this.#queue.offer(payload, {
        ...options,
        ...(runAtMs === null ? {} : { runAt: new Date(runAtMs) }),
      });
    }
    return this.#queue.offerDead(payload, {
      ...options,
      maxAttempts: attemptsOf(job),
      attempts: job.attemptsMade,
      error: job.failedReason || "failed in BullMQ",
    });
  }
}
