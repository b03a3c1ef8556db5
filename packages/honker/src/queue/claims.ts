import type { SqlValue } from "../sqlite/connection.ts";
import { JOB_COLUMNS, type JobRow, jobRow } from "./job-row.ts";
import { KeyLimits } from "./key-limits.ts";
import type { QueueContext } from "./queue-context.ts";
import type { Claim } from "./settlement.ts";
import type { Sweeper } from "./sweeper.ts";

/** A job as its claimer gets it. */
export interface ClaimedRow extends JobRow, Omit<Claim, "key" | "backoff"> {
  readonly workerId: string;
  /** Seconds since 1970. */
  readonly claimExpiresAt: number;
}

/** One range of the claim index. That a row without a claim is pending is checked when it is claimed. */
const READY_ROWS = "queue = ?1 AND claim_expires_at IS NULL AND alk_parked IS NULL";
const PAUSED = "(SELECT 1 FROM _alk_queues WHERE queue = ?1 AND paused_at_ms IS NOT NULL)";
const FIRST_EXPIRY = `(SELECT min(claim_expires_at) FROM _honker_live
  WHERE queue = ?1 AND claim_expires_at IS NOT NULL)`;
/** The head of the ready index: no job of its priority is due before it. */
const HEAD = `SELECT id, priority, alk_ready_at_ms, ${PAUSED}, ${FIRST_EXPIRY} FROM _honker_live
  WHERE ${READY_ROWS} ORDER BY priority DESC, alk_ready_at_ms, id LIMIT 1`;
const WITHOUT_HEAD = `SELECT ${PAUSED}, ${FIRST_EXPIRY}`;
const NEXT_HEAD = `SELECT id, priority, alk_ready_at_ms FROM _honker_live
  WHERE ${READY_ROWS} AND priority < ?2 ORDER BY priority DESC, alk_ready_at_ms, id LIMIT 1`;
const TOP_PRIORITY = `SELECT max(priority) FROM _honker_live WHERE ${READY_ROWS}`;
const NEXT_PRIORITY = `${TOP_PRIORITY} AND priority < ?2`;
const READY = `SELECT ${JOB_COLUMNS} FROM _honker_live
  WHERE ${READY_ROWS} AND state = 'pending' AND priority = ?2 AND alk_ready_at_ms <= ?3
  ORDER BY alk_ready_at_ms, id LIMIT ?4`;
const CLAIM = `UPDATE _honker_live
  SET state = 'processing', worker_id = ?1, claim_expires_at = ?2, attempts = attempts + 1`;
const CLAIM_ONE = `${CLAIM} WHERE id = ?3 AND state = 'pending' AND attempts < max_attempts
  AND (expires_at IS NULL OR expires_at > ?4) RETURNING ${JOB_COLUMNS}`;
const CLAIM_IDS = `${CLAIM} WHERE id IN (SELECT value FROM json_each(?3))`;

/** The first job of a priority to become ready. */
interface Head {
  readonly id: number;
  readonly priority: number;
  readonly readyAtMs: number;
}

/** Jobs looked at in one transaction before others get the write lock. */
const MOST_PER_TRANSACTION = 2_000;

/**
 * Claims jobs, highest priority first, then run time, then id, like `honker_claim_batch`. The cost does
 * not grow with the backlog: each step is a seek in the ready index, one per priority that waits, and
 * what a claim finds unfit (expired, exhausted, key at its limit) leaves the index at once, so that it
 * is met once in its life.
 */
export class Claims {
  readonly #context: QueueContext;
  readonly #sweeper: Sweeper;
  readonly #keys: KeyLimits | undefined;

  constructor(context: QueueContext, sweeper: Sweeper) {
    this.#context = context;
    this.#sweeper = sweeper;
    this.#keys = KeyLimits.of(context);
  }

  /** Claims up to `count` jobs. An empty queue is found empty without taking the write lock. */
  claim(workerId: string, count: number): ClaimedRow[] {
    const { core, history } = this.#context;
    this.#sweeper.sweepWhenDue();
    history.pruneWhenDue();
    const { head, paused, firstExpiry } = this.#look();
    if (paused) return [];
    if (firstExpiry >= core.nowSeconds()) {
      const id = this.#firstDue(head);
      if (id === undefined) return [];
      const claimed = count === 1 && this.#keys === undefined && this.#claimOne(workerId, id);
      if (claimed) return [claimed];
    }
    for (;;) {
      const { claimed, more } = core.transaction(() => this.#claimSome(workerId, count));
      if (claimed.length > 0 || !more) return claimed;
    }
  }

  /** When a claim that found nothing is worth trying again, in milliseconds since 1970. */
  nextDeadlineMs(): number | undefined {
    const nowMs = this.#context.core.nowMs();
    const { head, paused, firstExpiry } = this.#look();
    if (paused) return undefined;
    let first = (firstExpiry + 1) * 1_000;
    for (let next = head; next !== undefined; next = this.#nextHead(next.priority)) {
      first = Math.min(first, Math.max(next.readyAtMs, nowMs));
    }
    return first === Number.POSITIVE_INFINITY ? undefined : first;
  }

  /** What a claim has to know before it takes the write lock. */
  #look(): { head: Head | undefined; paused: boolean; firstExpiry: number } {
    const { core, name } = this.#context;
    const row = core.prepare(HEAD).row([name]);
    const [paused, firstExpiry] =
      row === undefined ? (core.prepare(WITHOUT_HEAD).row([name]) as SqlValue[]) : row.slice(3);
    return {
      head: head(row),
      paused: paused !== null,
      firstExpiry: (firstExpiry ?? Number.POSITIVE_INFINITY) as number,
    };
  }

  #firstDue(top: Head | undefined): number | undefined {
    const nowMs = this.#context.core.nowMs();
    for (let next = top; next !== undefined; next = this.#nextHead(next.priority)) {
      if (next.readyAtMs <= nowMs) return next.id;
    }
    return undefined;
  }

  #nextHead(below: number): Head | undefined {
    const { core, name } = this.#context;
    return head(core.prepare(NEXT_HEAD).row([name, below]));
  }

  #nextPriority(below: number): number | null {
    const { core, name } = this.#context;
    return (core.prepare(NEXT_PRIORITY).row([name, below]) as SqlValue[])[0] as number | null;
  }

  /** In one statement, which commits by itself; undefined when the job was not fit, or taken meanwhile. */
  #claimOne(workerId: string, id: number): ClaimedRow | undefined {
    const { core } = this.#context;
    const until = this.#claimUntil();
    const [row] = core.prepare(CLAIM_ONE).rows([workerId, until, id, core.nowSeconds()]);
    if (row === undefined) return undefined;
    return { ...jobRow(row), workerId, claimExpiresAt: until, claimedAtMs: core.nowMs() };
  }

  #claimSome(workerId: string, count: number): { claimed: ClaimedRow[]; more: boolean } {
    const { core, name } = this.#context;
    this.#sweeper.reclaim();
    const nowMs = core.nowMs();
    const claimed: ClaimedRow[] = [];
    let looked = 0;
    let priority = (core.prepare(TOP_PRIORITY).row([name]) as SqlValue[])[0] as number | null;
    while (priority !== null && claimed.length < count && looked < MOST_PER_TRANSACTION + count) {
      const wanted = count - claimed.length;
      const limit = this.#keys === undefined ? wanted : Math.max(wanted, 32);
      const rows = core.prepare(READY).rows([name, priority, nowMs, limit]).map(jobRow);
      looked += rows.length;
      claimed.push(...this.#take(rows, wanted, workerId));
      if (rows.length < limit && claimed.length < count) priority = this.#nextPriority(priority);
    }
    return { claimed, more: priority !== null };
  }

  /** Claims what is fit among `rows`, and takes the rest out of the ready index. */
  #take(rows: readonly JobRow[], most: number, workerId: string): ClaimedRow[] {
    const { core, burial } = this.#context;
    const now = core.nowSeconds();
    const claimedAtMs = core.nowMs();
    const claimExpiresAt = this.#claimUntil();
    const taken: ClaimedRow[] = [];
    const starting = new Map<string, number>();
    for (const row of rows) {
      if (taken.length === most) break;
      if (row.expiresAt !== null && row.expiresAt <= now) {
        burial.bury(row, "expired", "expired");
      } else if (row.attempts >= row.maxAttempts) {
        burial.bury(row, "attempts-exhausted", "max attempts exceeded");
      } else if (this.#keys === undefined || this.#keys.admit(row, starting)) {
        const attempts = row.attempts + 1;
        taken.push({ ...row, attempts, workerId, claimExpiresAt, claimedAtMs });
      }
    }
    if (taken.length > 0) {
      const ids = JSON.stringify(taken.map(({ id }) => id));
      core.prepare(CLAIM_IDS).run([workerId, claimExpiresAt, ids]);
    }
    return taken;
  }

  #claimUntil(): number {
    const { core, settings } = this.#context;
    return core.nowSeconds() + settings.visibilityTimeoutSeconds;
  }
}

function head(row: readonly SqlValue[] | undefined): Head | undefined {
  if (row === undefined) return undefined;
  const [id, priority, readyAtMs] = row as number[] as [number, number, number];
  return { id, priority, readyAtMs };
}
