import type { Core } from "../core/core.ts";
import { topics } from "../core/core.ts";
import type { HistorySubject, JobHistoryWriter } from "./job-history.ts";

/**
 * Why a job is dead: `failed` on the handler's word, `attempts-exhausted` by errors or lost claims,
 * `expired` before it was claimed, `invalid-payload` that no longer fits its schema.
 */
export type DeadReason = "failed" | "attempts-exhausted" | "expired" | "invalid-payload";

const COPY = `INSERT INTO _honker_dead (id, queue, payload, priority, run_at, attempts, max_attempts,
    last_error, created_at, died_at, alk_reason, alk_key, alk_unique, alk_backoff, alk_headers)
  SELECT id, queue, payload, priority, run_at, attempts, max_attempts,
    ?2, created_at, ?3, ?4, alk_key, alk_unique, alk_backoff, alk_headers
  FROM _honker_live WHERE id = ?1`;
const DELETE = "DELETE FROM _honker_live WHERE id = ?";
const SET_ATTEMPTS = "UPDATE _honker_live SET attempts = ? WHERE id = ?";

/** Moves jobs to the dead letters. */
export class DeadLetterWriter {
  readonly #core: Core;
  readonly #history: JobHistoryWriter;

  constructor(core: Core, history: JobHistoryWriter) {
    this.#core = core;
    this.#history = history;
  }

  /** Buries a job that was inserted in this transaction and failed before that, elsewhere. */
  buryNew(
    id: number,
    { attempts, error }: { readonly attempts: number; readonly error: string },
  ): void {
    this.#core.prepare(SET_ATTEMPTS).run([attempts, id]);
    const createdAt = this.#core.nowSeconds();
    this.bury({ id, attempts, workerId: null, createdAt }, "failed", error);
  }

  /** Call it in a transaction that has checked that the job may be moved. */
  bury(job: HistorySubject, reason: DeadReason, error: string): void {
    this.#core.prepare(COPY).run([job.id, error, this.#core.nowSeconds(), reason]);
    this.#core.prepare(DELETE).run([job.id]);
    this.#history.record(job, reason === "expired" ? "expired" : "dead", error);
    this.#core.touch(topics.result(job.id));
  }
}
