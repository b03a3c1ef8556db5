import type { Core } from "../core/core.ts";
import { HonkerError } from "../errors.ts";
import type { SqlInput, SqlValue } from "../sqlite/connection.ts";
import type { HistoryRetention } from "./queue-options.ts";

/**
 * What became of one attempt, or of the job: `completed`; `retried` after an error; `dead`; `lost` when
 * its claim ran out; `released` by a worker that stopped; `cancelled`; `expired` before it was claimed;
 * `redriven` from the dead letters.
 */
export type JobOutcome =
  | "completed"
  | "retried"
  | "dead"
  | "lost"
  | "released"
  | "cancelled"
  | "expired"
  | "redriven";

/** One entry of a job's history. */
export interface JobHistoryEntry {
  readonly jobId: number;
  readonly outcome: JobOutcome;
  /** Number of the attempt, from 1; 0 when the job never started. */
  readonly attempt: number;
  readonly workerId: string | null;
  /** Seconds since 1970. */
  readonly enqueuedAt: number;
  /** When the attempt was claimed, in milliseconds since 1970; `null` when it is not known. */
  readonly startedAtMs: number | null;
  /** Milliseconds since 1970. */
  readonly endedAtMs: number;
  readonly error: string | null;
}

/** What is known of a job when an entry is written. */
export interface HistorySubject {
  readonly id: number;
  readonly attempts: number;
  readonly workerId: string | null;
  readonly createdAt: number;
  readonly claimedAtMs?: number | undefined;
}

const COLUMNS = `(queue, job_id, entry, outcome, attempt, worker_id, enqueued_at, started_at_ms,
  ended_at_ms, error)`;
/** Where the attempt stands in a row of values. */
const ATTEMPT = 3;
/** Rows per statement of a batch. */
const ROWS_PER_INSERT = 50;
/** Numbered after the last entry of its job. */
const INSERT = `INSERT INTO _alk_job_history ${COLUMNS} VALUES (?1, ?2,
  (SELECT coalesce(max(entry), 0) + 1 FROM _alk_job_history WHERE queue = ?1 AND job_id = ?2),
  ?3, ?4, ?5, ?6, ?7, ?8, ?9)`;
const INSERT_FIRST = `INSERT INTO _alk_job_history ${COLUMNS}
  VALUES ${Array(ROWS_PER_INSERT).fill("(?, ?, 1, ?, ?, ?, ?, ?, ?, ?)").join(", ")}`;
const OF_JOB = `SELECT job_id, outcome, attempt, worker_id, enqueued_at, started_at_ms, ended_at_ms, error
  FROM _alk_job_history WHERE queue = ? AND job_id = ? ORDER BY entry`;
const PRUNE_AGE = `DELETE FROM _alk_job_history WHERE (queue, job_id, entry) IN (
  SELECT queue, job_id, entry FROM _alk_job_history WHERE queue = ? AND ended_at_ms < ? LIMIT ?)`;
const PRUNE_COUNT = `DELETE FROM _alk_job_history WHERE (queue, job_id, entry) IN (
  SELECT queue, job_id, entry FROM _alk_job_history WHERE queue = ?1 AND job_id <= (
    SELECT job_id FROM _alk_job_history WHERE queue = ?1
    ORDER BY job_id DESC LIMIT 1 OFFSET ?2)
  ORDER BY job_id, entry LIMIT ?3)`;

/** Entries written between two prunings by count. */
const PRUNE_EVERY = 5_000;
/** Milliseconds between two prunings by age, which read the whole history of the queue. */
const PRUNE_AGE_EVERY_MS = 60_000;
/** Entries one statement deletes at most, so that others get the write lock in between. */
const PRUNE_BATCH = 2_000;

/**
 * Writes what became of jobs: one row when a job ends and one per failed attempt, so that a job that
 * succeeds at once costs a single row. That it was enqueued and when it started is part of that row.
 */
export class JobHistoryWriter {
  readonly #core: Core;
  readonly #queue: string;
  readonly #retention: Required<HistoryRetention> | undefined;
  #sincePruning = 0;
  #agedAtMs = Number.NEGATIVE_INFINITY;
  #batch: SqlInput[][] | undefined;

  constructor(core: Core, queue: string, retention: Required<HistoryRetention> | undefined) {
    this.#core = core;
    this.#queue = queue;
    this.#retention = retention;
  }

  get enabled(): boolean {
    return this.#retention !== undefined;
  }

  record(job: HistorySubject, outcome: JobOutcome, error: string | null = null): void {
    if (this.#retention === undefined) return;
    const { id, attempts, workerId, createdAt, claimedAtMs = null } = job;
    const endedAtMs = this.#core.nowMs();
    const row = [id, outcome, attempts, workerId, createdAt, claimedAtMs, endedAtMs, error];
    if (this.#batch === undefined) this.#core.prepare(INSERT).run([this.#queue, ...row]);
    else this.#batch.push([this.#queue, ...row]);
    this.#sincePruning += 1;
  }

  /** Writes all that `work` records with few statements: half the cost. Inside a transaction. */
  batch(work: () => void): void {
    const rows: SqlInput[][] = [];
    this.#batch = rows;
    try {
      work();
    } finally {
      this.#batch = undefined;
    }
    this.#insert(rows);
  }

  /** Prunes when enough was written or enough time went by; called between jobs, never inside an ack. */
  pruneWhenDue(): void {
    if (this.#retention === undefined || this.#core.connection.inTransaction) return;
    if (this.#sincePruning >= PRUNE_EVERY) this.#pruneCount(this.#retention.maxCount);
    // the absolute value: a clock set back must not stop pruning
    if (Math.abs(this.#core.nowMs() - this.#agedAtMs) < PRUNE_AGE_EVERY_MS) return;
    this.#pruneAge(this.#retention.maxAgeSeconds);
  }

  /** Deletes entries beyond the retention. Returns how many. */
  prune(retention: HistoryRetention = {}): number {
    const { maxAgeSeconds, maxCount } = {
      maxAgeSeconds: 0,
      maxCount: 0,
      ...this.#retention,
      ...retention,
    };
    return this.#pruneAge(maxAgeSeconds) + this.#pruneCount(maxCount);
  }

  #pruneAge(maxAgeSeconds: number): number {
    this.#agedAtMs = this.#core.nowMs();
    return this.#prune(PRUNE_AGE, this.#agedAtMs - maxAgeSeconds * 1_000);
  }

  #pruneCount(maxCount: number): number {
    this.#sincePruning = 0;
    return this.#prune(PRUNE_COUNT, maxCount);
  }

  #prune(sql: string, bound: number): number {
    let deleted = 0;
    let batch: number;
    do {
      batch = this.#core.prepare(sql).run([this.#queue, bound, PRUNE_BATCH]).changes;
      deleted += batch;
    } while (batch === PRUNE_BATCH);
    return deleted;
  }

  /** Nearly all entries are the only one of their job: numbering them without looking is cheaper. */
  #insert(rows: readonly SqlInput[][]): void {
    const first = rows.filter((row) => row[ATTEMPT] === 1);
    let start = 0;
    for (; first.length - start >= ROWS_PER_INSERT; start += ROWS_PER_INSERT) {
      this.#insertFirst(first.slice(start, start + ROWS_PER_INSERT));
    }
    this.#insertEach(first.slice(start));
    this.#insertEach(rows.filter((row) => row[ATTEMPT] !== 1));
  }

  #insertFirst(rows: readonly SqlInput[][]): void {
    try {
      this.#core.prepare(INSERT_FIRST).run(rows.flat());
    } catch (error) {
      // a job that was released or redriven has entries and is at its first attempt again
      if (!(error instanceof HonkerError && error.code === "CONSTRAINT")) throw error;
      this.#insertEach(rows);
    }
  }

  #insertEach(rows: readonly SqlInput[][]): void {
    for (const row of rows) this.#core.prepare(INSERT).run(row);
  }

  /** Entries of one job, oldest first. */
  of(jobId: number): JobHistoryEntry[] {
    return this.#core.prepare(OF_JOB).rows([this.#queue, jobId]).map(entry);
  }
}

function entry(row: readonly SqlValue[]): JobHistoryEntry {
  return {
    jobId: row[0] as number,
    outcome: row[1] as JobOutcome,
    attempt: row[2] as number,
    workerId: row[3] as string | null,
    enqueuedAt: row[4] as number,
    startedAtMs: row[5] as number | null,
    endedAtMs: row[6] as number,
    error: row[7] as string | null,
  };
}
