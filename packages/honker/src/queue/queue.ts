import type { Core } from "../core/core.ts";
import { topics } from "../core/core.ts";
import type { Handle } from "../core/handle.ts";
import { requireName, requireNumber } from "../core/names.ts";
import { requireTransaction } from "../core/require-transaction.ts";
import type { Transaction } from "../core/transaction.ts";
import type { MessageChannel } from "../telemetry/process-timer.ts";
import { traceSend, withCarrier } from "../telemetry/tracing.ts";
import { type ClaimOptions, type ClaimWaker, claimSequence } from "./claim-sequence.ts";
import { type ClaimedRow, Claims } from "./claims.ts";
import { DeadLetterWriter } from "./dead-letter-writer.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Enqueuer } from "./enqueuer.ts";
import { ClaimedJob, type Job } from "./job.ts";
import { type JobHistoryEntry, JobHistoryWriter } from "./job-history.ts";
import { type JobSnapshot, jobSnapshot, jobSnapshots } from "./job-snapshot.ts";
import type { OfferedJob } from "./offered-job.ts";
import { PayloadCodec } from "./payload-codec.ts";
import type { QueueContext } from "./queue-context.ts";
import {
  type DeadJobOptions,
  type EnqueueOptions,
  type HistoryRetention,
  type QueueOptions,
  resolveQueueOptions,
} from "./queue-options.ts";
import { type QueueCounts, queueCounts } from "./queue-stats.ts";
import { Settlement } from "./settlement.ts";
import { Sweeper } from "./sweeper.ts";
import { Worker } from "./worker.ts";
import { defaultWorkerId } from "./worker-id.ts";
import {
  type BatchHandler,
  type JobHandler,
  resolveWorkOptions,
  type WorkOptions,
} from "./worker-options.ts";

const IS_PAUSED = "SELECT 1 FROM _alk_queues WHERE queue = ? AND paused_at_ms IS NOT NULL";
const SET_PAUSED = `INSERT INTO _alk_queues (queue, paused_at_ms) VALUES (?, ?)
  ON CONFLICT (queue) DO UPDATE SET paused_at_ms = excluded.paused_at_ms`;
const CANCEL = `DELETE FROM _honker_live WHERE id = ? AND queue = ?
  RETURNING attempts, worker_id, created_at`;

/**
 * A work queue in the database file. A job is done at least once: it stays until a worker acknowledges
 * it, and goes to another worker when its claim runs out. Made by `db.queue(name)`; handles are cheap.
 *
 * @example
 * ```ts
 * const emails = db.queue<{ to: string }>("emails");
 * emails.enqueue({ to: "ada@example.org" }, { priority: 5 });
 *
 * const worker = emails.work(async (job) => send(job.payload.to), { concurrency: 10 });
 * await worker.stop();
 * ```
 */
export class Queue<I = unknown, O = I> {
  readonly name: string;
  /** The jobs that failed for good. */
  readonly dead: DeadLetters;
  readonly #channel: MessageChannel;
  readonly #handle: Handle;
  readonly #context: QueueContext;
  readonly #codec: PayloadCodec<I, O>;
  readonly #enqueuer: Enqueuer;
  readonly #settlement: Settlement;
  readonly #sweeper: Sweeper;
  readonly #claims: Claims;

  /** @internal Use `db.queue(name)`. */
  constructor(handle: Handle, name: string, options: QueueOptions<I, O> = {}) {
    requireName(name, "queue name");
    const core = handle.use();
    const settings = resolveQueueOptions(options as QueueOptions<never, unknown>);
    const history = new JobHistoryWriter(core, name, settings.history);
    const burial = new DeadLetterWriter(core, history);
    this.name = name;
    this.#channel = { kind: "queue", name };
    this.#handle = handle;
    this.#context = { core, name, topic: topics.queue(name), settings, history, burial };
    this.#codec = new PayloadCodec(name, options);
    this.#enqueuer = new Enqueuer(this.#context);
    this.#settlement = new Settlement(this.#context);
    this.#sweeper = new Sweeper(this.#context);
    this.#claims = new Claims(this.#context, this.#sweeper);
    this.dead = new DeadLetters(() => this.#use());
  }

  /** Seconds a claim lasts. */
  get visibilityTimeoutSeconds(): number {
    return this.#context.settings.visibilityTimeoutSeconds;
  }

  /** Upstream's name of {@link visibilityTimeoutSeconds}. */
  get visibilityTimeoutS(): number {
    return this.visibilityTimeoutSeconds;
  }

  /** Attempts of a job that does not set its own. */
  get maxAttempts(): number {
    return this.#context.settings.maxAttempts;
  }

  /**
   * Adds a job and returns its id. Inside a transaction it belongs to it: workers see the job when it
   * commits. With a unique key that is taken, the id is that of the job that has it.
   *
   * @throws `INVALID_PAYLOAD`, `INVALID_ARGUMENT`, `BUSY`
   */
  enqueue(payload: I, options: EnqueueOptions = {}): number {
    return this.offer(payload, options).id;
  }

  /** As {@link enqueue}, and says whether the job is new or what became of the one that had the key. */
  offer(payload: I, options: EnqueueOptions = {}): OfferedJob {
    this.#use();
    const text = this.#codec.encode(payload);
    return traceSend(this.#channel, (carrier) =>
      this.#enqueuer.enqueue(text, withCarrier(options, carrier)),
    );
  }

  /**
   * Adds a job that failed for good before it came here, in another system: a dead letter, to be looked at
   * and redriven like the others. With a unique key that is taken nothing is added.
   *
   * @throws `INVALID_PAYLOAD`, `INVALID_ARGUMENT`, `BUSY`
   */
  offerDead(payload: I, options: DeadJobOptions): OfferedJob {
    const { attempts = 1, error } = options;
    requireName(error, "the error of a dead job");
    requireNumber(attempts, "attempts", { min: 0, max: 2_147_483_647, integer: true });
    const { core, burial } = this.#use();
    const text = this.#codec.encode(payload);
    return core.transaction(() => {
      const offered = this.#enqueuer.enqueue(text, options);
      if (offered.outcome === "created") burial.buryNew(offered.id, { attempts, error });
      return offered;
    });
  }

  /** As {@link enqueue}, in `tx`, which must be open. @throws `TRANSACTION_STATE` */
  enqueueTx(tx: Transaction, payload: I, options: EnqueueOptions = {}): number {
    requireTransaction(this.#use().core, tx, `enqueueTx of queue "${this.name}"`);
    return this.offer(payload, options).id;
  }

  /** Adds jobs with the same options in one transaction; all or none. Returns their ids in order. */
  enqueueMany(payloads: Iterable<I>, options: EnqueueOptions = {}): number[] {
    this.#use();
    const texts = Array.from(payloads, (payload) => this.#codec.encode(payload));
    return traceSend(this.#channel, (carrier) =>
      this.#enqueuer.enqueueMany(texts, withCarrier(options, carrier)),
    );
  }

  /**
   * Jobs as they come, for ever: claimed one at a time for `workerId`, waiting while there are none.
   * End each with `ack()`, `retry()` or `fail()`. {@link work} does that for you.
   */
  claim(workerId: string = defaultWorkerId(), options: ClaimOptions = {}): ClaimWaker<O> {
    requireName(workerId, "worker");
    const { core, topic } = this.#use();
    return this.#handle.track(
      claimSequence(
        {
          waiter: core.wake.waiter(topic),
          claimOne: (worker) => this.claimOne(worker),
          waitMs: () => this.#waitMs(),
        },
        workerId,
        options.signal,
      ),
    );
  }

  /** {@link claim} under the name of the design documents; upstream gives the worker to `next(workerId)`. */
  claimWaker(workerId?: string | ClaimOptions, options: ClaimOptions = {}): ClaimWaker<O> {
    if (typeof workerId === "object") return this.claim(undefined, workerId);
    return this.claim(workerId, options);
  }

  /** Claims the next job, or `null`. */
  claimOne(workerId: string): Job<O> | null {
    return this.claimBatch(workerId, 1)[0] ?? null;
  }

  /** Claims up to `count` jobs in one transaction, best first. */
  claimBatch(workerId: string, count: number): Job<O>[] {
    requireName(workerId, "worker");
    requireNumber(count, "count", { min: 0, max: 100_000, integer: true });
    this.#use();
    return this.#claim(workerId, count);
  }

  /** Acknowledges jobs claimed by `workerId` in one transaction. Returns how many claims were held. */
  ackBatch(ids: readonly number[], workerId: string): number {
    requireName(workerId, "worker");
    for (const id of ids) requireNumber(id, "job id", { min: 1, integer: true });
    return this.#use().core.transaction(() => this.#settlement.ackIds(ids, workerId));
  }

  /**
   * Works on jobs until it is stopped: claims in batches, renews claims, retries what throws, and
   * acknowledges what returns. See {@link JobHandler} for doing the effect and the acknowledgement in
   * one transaction.
   */
  work(handler: BatchHandler<O>, options: WorkOptions & { readonly batchSize: number }): Worker;
  work(handler: JobHandler<O>, options?: WorkOptions & { readonly batchSize?: never }): Worker;
  work(handler: JobHandler<O> | BatchHandler<O>, options: WorkOptions = {}): Worker {
    const { core, topic, settings } = this.#use();
    const work = resolveWorkOptions(handler, options);
    const worker = new Worker(handler as JobHandler<unknown>, work, {
      core,
      name: this.name,
      waiter: core.wake.waiter(topic),
      settings,
      settlement: this.#settlement,
      claim: (workerId, count) => this.#claim(workerId, count),
      nextDeadlineMs: () => this.#claims.nextDeadlineMs(),
    });
    return this.#handle.track(worker);
  }

  /**
   * Removes a waiting or running job. The signal of its running handler is aborted, in whatever
   * process it runs, and what it would still write with the job is refused. False when there is none.
   */
  cancel(id: number): boolean {
    requireNumber(id, "job id", { min: 1, integer: true });
    const { core, topic, history } = this.#use();
    return core.transaction(() => {
      const row = core.prepare(CANCEL).rows([id, this.name])[0];
      if (row === undefined) return false;
      const [attempts, workerId, createdAt] = row as [number, string | null, number];
      history.record({ id, attempts, workerId, createdAt }, "cancelled");
      core.touch(topic);
      core.touch(topics.result(id));
      return true;
    });
  }

  /** A waiting or running job, or `null`. */
  get(id: number): JobSnapshot | null {
    requireNumber(id, "job id", { min: 1, integer: true });
    return jobSnapshot(this.#use(), id);
  }

  /** Upstream's name of {@link get}. */
  getJob(id: number): JobSnapshot | null {
    return this.get(id);
  }

  /**
   * Jobs as they are now: the running ones, then those that wait, best first; those that a limit of their
   * key holds back come last.
   *
   * @param options `limit`: most jobs, default 100
   * @throws `INVALID_ARGUMENT`
   */
  jobs({ limit = 100 }: { readonly limit?: number } = {}): JobSnapshot[] {
    requireNumber(limit, "limit", { min: 0, max: 10_000, integer: true });
    return jobSnapshots(this.#use(), limit);
  }

  /** What happened to a job: an entry per failed attempt and one for its end, oldest first. */
  history(id: number): JobHistoryEntry[] {
    requireNumber(id, "job id", { min: 1, integer: true });
    return this.#use().history.of(id);
  }

  /** Deletes history now; it also happens by itself. Returns how many entries. */
  pruneHistory(retention?: HistoryRetention): number {
    return this.#use().history.prune(retention);
  }

  /** No worker of any process gets a job until {@link resume}; running ones go on. */
  pause(): void {
    const { core, topic } = this.#use();
    core.prepare(SET_PAUSED).run([this.name, core.nowMs()]);
    core.touch(topic);
  }

  resume(): void {
    const { core, topic } = this.#use();
    core.prepare(SET_PAUSED).run([this.name, null]);
    core.touch(topic);
  }

  get paused(): boolean {
    return this.#use().core.prepare(IS_PAUSED).row([this.name]) !== undefined;
  }

  /**
   * How many jobs are in which state.
   *
   * @param options `countTo`: counts waiting, running and dead jobs no further than this, so that a deep
   * queue costs no more; which are due is then told of the first to be claimed. Default all
   * @throws `INVALID_ARGUMENT`
   */
  stats({ countTo }: { readonly countTo?: number } = {}): QueueCounts {
    if (countTo !== undefined) requireNumber(countTo, "countTo", { min: 1, integer: true });
    return queueCounts(this.#use(), countTo);
  }

  /**
   * Moves expired jobs and exhausted claims to the dead letters and gives back other expired claims,
   * now; it also happens every few seconds while somebody claims. Returns how many jobs moved.
   */
  sweep(): number {
    this.#use();
    return this.#sweeper.sweep();
  }

  /** Upstream's name of {@link sweep}. */
  sweepExpired(): number {
    return this.sweep();
  }

  #claim(workerId: string, count: number): ClaimedJob<O>[] {
    const jobs: ClaimedJob<O>[] = [];
    while (jobs.length < count) {
      const wanted = count - jobs.length;
      const rows = this.#claims.claim(workerId, wanted);
      jobs.push(...this.#decode(rows));
      if (rows.length < wanted) break;
    }
    return jobs;
  }

  /** Jobs whose payload fits; the others become dead letters. */
  #decode(rows: readonly ClaimedRow[]): ClaimedJob<O>[] {
    const jobs: ClaimedJob<O>[] = [];
    try {
      for (const row of rows) {
        const decoded = this.#codec.decode(row.payload);
        if (decoded.ok) jobs.push(new ClaimedJob(row, decoded.payload, this.#jobOwner));
        else this.#refuse(row, decoded.reason);
      }
    } catch (error) {
      // the schema cannot be used at all: nobody gets these jobs, so they must not stay claimed
      this.#context.core.transaction(() => {
        for (const row of rows) this.#settlement.release(row, false);
      });
      throw error;
    }
    return jobs;
  }

  #refuse(row: ClaimedRow, reason: string): void {
    this.#context.core.transaction(() => this.#settlement.fail(row, reason, "invalid-payload"));
  }

  get #jobOwner() {
    return {
      name: this.name,
      handle: this.#handle,
      settlement: this.#settlement,
      visibilitySeconds: this.visibilityTimeoutSeconds,
    };
  }

  #waitMs(): number | undefined {
    const deadline = this.#claims.nextDeadlineMs();
    return deadline === undefined ? undefined : Math.max(deadline - this.#context.core.nowMs(), 0);
  }

  /** @throws `CLOSED` when the database handle is closed */
  #use(): QueueContext {
    this.#handle.use() satisfies Core;
    return this.#context;
  }
}
