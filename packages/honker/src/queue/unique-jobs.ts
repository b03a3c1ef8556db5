import { type NewJob, storedValues } from "./new-job.ts";
import type { OfferedJob } from "./offered-job.ts";
import type { QueueContext } from "./queue-context.ts";
import type { UniqueOptions } from "./queue-options.ts";

const IN_WINDOW = `SELECT job_id FROM _alk_unique_windows
  WHERE queue = ? AND unique_key = ? AND until_ms > ?`;
const OPEN_WINDOW = `INSERT INTO _alk_unique_windows (queue, unique_key, job_id, until_ms)
  VALUES (?, ?, ?, ?) ON CONFLICT (queue, unique_key) DO UPDATE
  SET job_id = excluded.job_id, until_ms = excluded.until_ms`;
const WAITING = `SELECT id, attempts, created_at, expires_at FROM _honker_live
  WHERE queue = ? AND alk_unique = ? AND state = 'pending' ORDER BY id LIMIT 1`;
const RUNNING = `SELECT id FROM _honker_live
  WHERE queue = ? AND alk_unique = ? AND state = 'processing' ORDER BY id LIMIT 1`;
const SET_UNIQUE = "UPDATE _honker_live SET alk_unique = ? WHERE id = ?";
const REPLACE = `UPDATE _honker_live SET payload = ?1, priority = ?2, max_attempts = ?3,
  expires_at = ?4, alk_key = ?5, alk_backoff = ?6, alk_headers = ?7, attempts = 0, alk_parked = NULL
  WHERE id = ?8 AND state = 'pending'`;
const POSTPONE = "UPDATE _honker_live SET run_at = ?, alk_run_at_ms = ? WHERE id = ?";

/** Decides what becomes of a job with a unique key. Runs inside the caller's transaction. */
export class UniqueJobs {
  readonly #context: QueueContext;

  constructor(context: QueueContext) {
    this.#context = context;
  }

  offer(job: NewJob, text: string, insert: () => number): OfferedJob {
    const { core, name } = this.#context;
    const unique = job.unique as UniqueOptions;
    const holder = this.#holder(unique);
    if (holder !== undefined) return this.#onConflict(holder, job, text);
    const id = insert();
    core.prepare(SET_UNIQUE).run([unique.key, id]);
    const { scope } = unique;
    if (typeof scope === "object") {
      const until = core.nowMs() + Math.round(scope.windowSeconds * 1_000);
      core.prepare(OPEN_WINDOW).run([name, unique.key, id, until]);
    }
    return { id, outcome: "created" };
  }

  /** Id of the job that has the key. */
  #holder({ key, scope = "pending-or-running" }: UniqueOptions): number | undefined {
    const { core, name } = this.#context;
    if (typeof scope === "object") {
      return core.prepare(IN_WINDOW).row([name, key, core.nowMs()])?.[0] as number | undefined;
    }
    const waiting = this.#waiting(key);
    if (waiting !== undefined || scope === "pending") return waiting;
    return core.prepare(RUNNING).row([name, key])?.[0] as number | undefined;
  }

  #waiting(key: string): number | undefined {
    const { core, name, burial } = this.#context;
    for (;;) {
      const row = core.prepare(WAITING).row([name, key]);
      if (row === undefined) return undefined;
      const [id, attempts, createdAt, expiresAt] = row as [number, number, number, number | null];
      if (expiresAt === null || expiresAt > core.nowSeconds()) return id;
      // an expired job must not keep a new one out
      burial.bury({ id, attempts, createdAt, workerId: null }, "expired", "expired");
    }
  }

  #onConflict(id: number, job: NewJob, text: string): OfferedJob {
    const { core } = this.#context;
    const onConflict = job.unique?.onConflict ?? "keep";
    if (onConflict === "keep") return { id, outcome: "kept" };
    const [priority, runAt, runAtMs, ...rest] = storedValues(job);
    const changed = core.prepare(REPLACE).run([text, priority as number, ...rest, id]).changes;
    if (changed === 0) return { id, outcome: "kept" };
    if (onConflict === "replace") return { id, outcome: "replaced" };
    core.prepare(POSTPONE).run([runAt as number, runAtMs as number | null, id]);
    return { id, outcome: "postponed" };
  }
}
