import type { Database, PreparedSql } from "@alkdev/honker";
import type { CallKey } from "./journaled-call.ts";
import { LEASE_PREFIX } from "./owner-lease.ts";

/** A call that is remembered: one that runs has an owner, one that ended an outcome. */
export interface LoggedRow {
  readonly owner: string | null;
  /** JSON of a `CallOutcome`. */
  readonly outcome: string | null;
}

const IS_CALL = "request_id = ?1 AND caller_id = ?2 AND operation_id = ?3";
const FIND = `SELECT owner, outcome FROM _alk_storage_calls WHERE ${IS_CALL}`;
const INSERT = `INSERT INTO _alk_storage_calls
  (request_id, caller_id, operation_id, owner, outcome, at_ms) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (request_id, caller_id, operation_id) DO NOTHING`;
const END = `UPDATE _alk_storage_calls SET owner = NULL, outcome = ?5, at_ms = ?6
  WHERE ${IS_CALL} AND owner = ?4`;
const ANSWER = `UPDATE _alk_storage_calls SET owner = NULL, outcome = ?5
  WHERE ${IS_CALL} AND owner = ?4`;
const FORGET = `DELETE FROM _alk_storage_calls WHERE ${IS_CALL} AND owner = ?4`;
const TAKE_OVER = `UPDATE _alk_storage_calls SET owner = ?4, outcome = NULL, at_ms = ?5 WHERE ${IS_CALL}`;
/** Not those that run: their owner holds its lease. */
const PRUNE = `DELETE FROM _alk_storage_calls WHERE id IN (
  SELECT id FROM _alk_storage_calls c WHERE at_ms < ?1 AND (owner IS NULL OR NOT EXISTS (
    SELECT 1 FROM _honker_locks l
    WHERE l.name = '${LEASE_PREFIX}' || c.owner AND l.expires_at > ?2))
  LIMIT ?3)`;

/** The table of remembered calls. Nothing here begins a transaction. */
export class CallLogTable {
  readonly #find: PreparedSql;
  readonly #insert: PreparedSql;
  readonly #end: PreparedSql;
  readonly #answer: PreparedSql;
  readonly #forget: PreparedSql;
  readonly #takeOver: PreparedSql;

  constructor(client: Database) {
    this.#find = client.prepare(FIND);
    this.#insert = client.prepare(INSERT);
    this.#end = client.prepare(END);
    this.#answer = client.prepare(ANSWER);
    this.#forget = client.prepare(FORGET);
    this.#takeOver = client.prepare(TAKE_OVER);
  }

  find(key: CallKey): LoggedRow | null {
    const row = this.#find.row(key);
    if (row === undefined) return null;
    return { owner: row[0] as string | null, outcome: row[1] as string | null };
  }

  /** Whether the call was not known and belongs to `owner` now. */
  claim(key: CallKey, owner: string, nowMs: number): boolean {
    return this.#insert.run([...key, owner, null, nowMs]).changes === 1;
  }

  /** Remembers a call whose beginning was rolled back. False where it is known already. */
  insertEnded(key: CallKey, outcome: string, nowMs: number): boolean {
    return this.#insert.run([...key, null, outcome, nowMs]).changes === 1;
  }

  /** False where `owner` has lost the call. An outcome of null forgets the call. */
  end(
    key: CallKey,
    { owner, outcome, nowMs }: { owner: string; outcome: string | null; nowMs: number },
  ): boolean {
    const { changes } =
      outcome === null
        ? this.#forget.run([...key, owner])
        : this.#end.run([...key, owner, outcome, nowMs]);
    return changes === 1;
  }

  /** As {@link end}, for a call that was claimed in the same commit. */
  answer(key: CallKey, owner: string, outcome: string): boolean {
    return this.#answer.run([...key, owner, outcome]).changes === 1;
  }

  takeOver(key: CallKey, owner: string, nowMs: number): void {
    this.#takeOver.run([...key, owner, nowMs]);
  }
}

/** Deletes up to `limit` calls that nobody has touched since a moment. Returns how many. */
export function deleteCallsBefore(
  client: Database,
  { beforeMs, nowMs, limit }: { beforeMs: number; nowMs: number; limit: number },
): number {
  return client.prepare(PRUNE).run([beforeMs, Math.floor(nowMs / 1_000), limit]).changes;
}

/** Forgets all calls, of a file that becomes another organisation's: they were made to the original. */
export function deleteAllCalls(client: Database): void {
  client.execute("DELETE FROM _alk_storage_calls");
}
