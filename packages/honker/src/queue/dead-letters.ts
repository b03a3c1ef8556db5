import { decodePayload } from "../core/json.ts";
import { requireNumber } from "../core/names.ts";
import type { SqlValue } from "../sqlite/connection.ts";
import type { DeadReason } from "./dead-letter-writer.ts";
import type { QueueContext } from "./queue-context.ts";

/** A job that will not run again by itself. */
export interface DeadLetter {
  readonly id: number;
  readonly queue: string;
  /** As it was enqueued; not checked against a schema, since it may be dead for not fitting it. */
  readonly payload: unknown;
  readonly priority: number;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly error: string | null;
  readonly reason: DeadReason;
  readonly key: string | null;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** Seconds since 1970. */
  readonly diedAt: number;
}

/** Options of `dead.list()`. */
export interface DeadListOptions {
  /** Default 100. */
  readonly limit?: number;
  /** Lists those with a greater id: pass the last id of the page before. Default 0. */
  readonly afterId?: number;
}

/** Which dead letters to act on; all of the queue when nothing is given. */
export interface DeadLetterSelection {
  readonly ids?: readonly number[];
  /** Those that died at least this many seconds ago. */
  readonly olderThanSeconds?: number;
}

const COLUMNS = `id, payload, priority, attempts, max_attempts, last_error, alk_reason, alk_key,
  created_at, died_at`;
const LIST = `SELECT ${COLUMNS} FROM _honker_dead WHERE queue = ? AND id > ? ORDER BY id LIMIT ?`;
const GET = `SELECT ${COLUMNS} FROM _honker_dead WHERE queue = ? AND id = ?`;
const COUNT = "SELECT count(*) FROM _honker_dead WHERE queue = ?";
const SELECTED =
  "queue = ?1 AND died_at <= ?2 AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3)))";
const SELECT_IDS = `SELECT id, created_at FROM _honker_dead WHERE ${SELECTED} ORDER BY id LIMIT 1000`;
const PURGE = `DELETE FROM _honker_dead WHERE ${SELECTED}`;
const REVIVE = `INSERT INTO _honker_live (id, queue, payload, priority, run_at, max_attempts,
    created_at, alk_key, alk_unique, alk_backoff, alk_headers)
  SELECT id, queue, payload, priority, ?2, max(max_attempts, 1), created_at,
    alk_key, alk_unique, alk_backoff, alk_headers
  FROM _honker_dead WHERE id = ?1`;
const DELETE = "DELETE FROM _honker_dead WHERE id = ?";

/** The dead letters of one queue. */
export class DeadLetters {
  readonly #use: () => QueueContext;

  /** @internal Use `queue.dead`. */
  constructor(use: () => QueueContext) {
    this.#use = use;
  }

  /** Dead letters by id, oldest job first. */
  list(options: DeadListOptions = {}): DeadLetter[] {
    const { limit = 100, afterId = 0 } = options;
    requireNumber(limit, "limit", { min: 0, integer: true });
    requireNumber(afterId, "afterId", { min: 0, integer: true });
    const { core, name } = this.#use();
    return core
      .prepare(LIST)
      .rows([name, afterId, limit])
      .map((row) => deadLetter(name, row));
  }

  /** One dead letter, or `null`. */
  get(id: number): DeadLetter | null {
    const { core, name } = this.#use();
    const row = core.prepare(GET).row([name, id]);
    return row === undefined ? null : deadLetter(name, row);
  }

  count(): number {
    const { core, name } = this.#use();
    return Number(core.prepare(COUNT).row([name])?.[0]);
  }

  /**
   * Puts dead letters back into the queue, due now, with all their attempts again and no expiry; they
   * keep their ids. In transactions of 1,000. Returns how many.
   */
  redrive(selection: DeadLetterSelection | readonly number[] = {}): number {
    const { core, name, topic, history } = this.#use();
    const parameters = selected(selection);
    let count = 0;
    let batch: number;
    do {
      batch = core.transaction(() => {
        const bound = [name, core.nowSeconds() - parameters.ageSeconds, parameters.ids];
        const rows = core.prepare(SELECT_IDS).rows(bound) as [number, number][];
        for (const [id, createdAt] of rows) {
          core.prepare(REVIVE).run([id, core.nowSeconds()]);
          core.prepare(DELETE).run([id]);
          history.record({ id, attempts: 0, workerId: null, createdAt }, "redriven");
        }
        if (rows.length > 0) core.touch(topic);
        return rows.length;
      });
      count += batch;
    } while (batch === 1_000);
    return count;
  }

  /** Deletes dead letters for good. Returns how many. */
  purge(selection: DeadLetterSelection | readonly number[] = {}): number {
    const { core, name } = this.#use();
    const { ids, ageSeconds } = selected(selection);
    return core.prepare(PURGE).run([name, core.nowSeconds() - ageSeconds, ids]).changes;
  }
}

function selected(selection: DeadLetterSelection | readonly number[]): {
  ids: string | null;
  ageSeconds: number;
} {
  const { ids, olderThanSeconds = 0 } = isIds(selection) ? { ids: selection } : selection;
  requireNumber(olderThanSeconds, "olderThanSeconds", { min: 0 });
  for (const id of ids ?? []) requireNumber(id, "job id", { min: 1, integer: true });
  return {
    ids: ids === undefined ? null : JSON.stringify(ids),
    // a clock set back must not hide what died "later" from a call that asks for all
    ageSeconds: olderThanSeconds === 0 ? Number.MIN_SAFE_INTEGER / 2 : olderThanSeconds,
  };
}

function isIds(selection: DeadLetterSelection | readonly number[]): selection is readonly number[] {
  return Array.isArray(selection);
}

function deadLetter(queue: string, row: readonly SqlValue[]): DeadLetter {
  return {
    id: row[0] as number,
    queue,
    payload: decodePayload(String(row[1])),
    priority: row[2] as number,
    attempts: row[3] as number,
    maxAttempts: row[4] as number,
    error: row[5] as string | null,
    reason: (row[6] as DeadReason | null) ?? reasonOf(row[5]),
    key: row[7] as string | null,
    createdAt: row[8] as number,
    diedAt: row[9] as number,
  };
}

/** Honker's own functions write no reason, but these two texts. */
function reasonOf(error: SqlValue | undefined): DeadReason {
  if (error === "expired") return "expired";
  return error === "max attempts exceeded" ? "attempts-exhausted" : "failed";
}
