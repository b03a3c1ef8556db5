import type { JobRow } from "./job-row.ts";
import type { QueueContext } from "./queue-context.ts";

const RUNNING = `SELECT count(*) FROM (SELECT 1 FROM _honker_live
  WHERE queue = ?1 AND alk_key = ?2 AND state = 'processing' LIMIT ?3)`;
const HAS_EARLIER = "SELECT 1 FROM _honker_live WHERE queue = ? AND alk_key = ? AND id < ? LIMIT 1";
const PARK = "UPDATE _honker_live SET alk_parked = 1 WHERE id = ?";
const PARKED_KEYS = `SELECT DISTINCT alk_key FROM _honker_live
  WHERE queue = ? AND alk_parked IS NOT NULL LIMIT 1000`;
/** The best ones, and the oldest, which strict order waits for. */
const UNPARK = `UPDATE _honker_live SET alk_parked = NULL WHERE alk_parked IS NOT NULL AND id IN (
  SELECT id FROM (SELECT id FROM _honker_live
    WHERE queue = ?1 AND alk_key = ?2 AND alk_parked IS NOT NULL
    ORDER BY priority DESC, alk_ready_at_ms, id LIMIT ?3)
  UNION ALL SELECT min(id) FROM _honker_live WHERE queue = ?1 AND alk_key = ?2)`;
// a key is never empty; naming it makes the index of parked jobs the best one, not that of all jobs
const UNPARK_ALL = `UPDATE _honker_live SET alk_parked = NULL WHERE id IN (
  SELECT id FROM _honker_live
  WHERE queue = ?1 AND alk_key > '' AND alk_parked IS NOT NULL LIMIT 5000)`;

/**
 * Holds back jobs whose key is at its limit. Exact, because the count and the claim happen in one
 * transaction and SQLite has one writer.
 */
export class KeyLimits {
  readonly #context: QueueContext;

  /** `undefined` where the queue has no limits, so that a claim does no work for them. */
  static of(context: QueueContext): KeyLimits | undefined {
    const { concurrencyPerKey } = context.settings;
    return concurrencyPerKey === Number.POSITIVE_INFINITY ? undefined : new KeyLimits(context);
  }

  private constructor(context: QueueContext) {
    this.#context = context;
  }

  /**
   * Whether the job may start; parks it when not.
   *
   * @param starting jobs per key that were admitted and are not yet marked as running
   */
  admit(row: JobRow, starting: Map<string, number>): boolean {
    if (row.key === null) return true;
    const { core, name, settings } = this.#context;
    const limit = settings.concurrencyPerKey;
    const already = starting.get(row.key) ?? 0;
    const running = core.prepare(RUNNING).row([name, row.key, limit])?.[0] as number;
    const earlier = (): boolean =>
      settings.strictOrderPerKey &&
      core.prepare(HAS_EARLIER).row([name, row.key, row.id]) !== undefined;
    if (already + running >= limit || earlier()) {
      core.prepare(PARK).run([row.id]);
      return false;
    }
    starting.set(row.key, already + 1);
    return true;
  }

  /** Brings parked jobs back where slots are free: after a limit was raised, or taken away. */
  static unparkFree(context: QueueContext): void {
    const { core, name, settings } = context;
    const limit = settings.concurrencyPerKey;
    if (limit === Number.POSITIVE_INFINITY) {
      core.prepare(UNPARK_ALL).run([name]);
      return;
    }
    for (const [key] of core.prepare(PARKED_KEYS).rows([name])) {
      const running = core.prepare(RUNNING).row([name, key as string, limit])?.[0] as number;
      if (running < limit) core.prepare(UNPARK).run([name, key as string, limit - running]);
    }
  }
}
