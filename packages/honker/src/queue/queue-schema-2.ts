/**
 * Fewer pages per job (ADR-076): the price of a claim and an acknowledgement is the pages they change.
 * And no key is ever stuck.
 *
 * - One index holds the jobs of a queue in the order they are asked for: claimed ones by the end of their
 *   claim, last first, then the ready ones, best first, then the parked ones. A claim moves an entry by
 *   a few places, most often within a page. It has the name of Honker's claim index, so that Honker
 *   uses it and does not make its own again; a row has `claim_expires_at` exactly while it is processing.
 * - Honker's two deadline indexes stay, empty: `honker_queue_next_claim_at` reads the queue instead.
 * - Indexes for features that a job does not use are not looked at when its state changes.
 * - A job that is given back frees the place of the oldest of its key too, as one that leaves does: a
 *   redriven job, older than the one that ran meanwhile, would else stay parked in strict order.
 * - History is one tree instead of a table and an index. `entry` numbers what happened to a job.
 */
export const QUEUE_SCHEMA_2: string = `
DROP INDEX _honker_live_claim;
DROP INDEX _honker_live_pending_deadline;
DROP INDEX _honker_live_processing_deadline;
DROP INDEX _alk_live_ready;
DROP INDEX _alk_live_run_at_ms;
DROP INDEX _alk_live_expiry;
DROP INDEX _alk_live_unique;
CREATE INDEX _honker_live_claim ON _honker_live
  (queue, claim_expires_at DESC, alk_parked, priority DESC, alk_ready_at_ms, id);
CREATE INDEX _honker_live_pending_deadline ON _honker_live (queue, run_at) WHERE 0;
CREATE INDEX _honker_live_processing_deadline ON _honker_live (queue, claim_expires_at) WHERE 0;
CREATE INDEX _alk_live_expiry ON _honker_live (queue, expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX _alk_live_unique ON _honker_live (queue, alk_unique) WHERE alk_unique IS NOT NULL;

DROP TRIGGER _alk_live_unpark_after_release;
CREATE TRIGGER _alk_live_unpark_after_release
AFTER UPDATE OF state ON _honker_live
WHEN old.alk_key IS NOT NULL AND old.state = 'processing' AND new.state = 'pending'
BEGIN
  UPDATE _honker_live SET alk_parked = NULL WHERE alk_parked IS NOT NULL AND id IN (
    (SELECT id FROM _honker_live
      WHERE queue = old.queue AND alk_key = old.alk_key AND alk_parked IS NOT NULL
      ORDER BY priority DESC, alk_ready_at_ms, id LIMIT 1),
    (SELECT min(id) FROM _honker_live WHERE queue = old.queue AND alk_key = old.alk_key));
END;

CREATE TABLE _alk_job_history_2 (
  queue TEXT NOT NULL,
  job_id INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  worker_id TEXT,
  enqueued_at INTEGER NOT NULL,
  started_at_ms INTEGER,
  ended_at_ms INTEGER NOT NULL,
  error TEXT,
  PRIMARY KEY (queue, job_id, entry)
) WITHOUT ROWID;
INSERT INTO _alk_job_history_2
  SELECT queue, job_id, row_number() OVER (PARTITION BY queue, job_id ORDER BY id), outcome, attempt,
    worker_id, enqueued_at, started_at_ms, ended_at_ms, error FROM _alk_job_history;
DROP TABLE _alk_job_history;
ALTER TABLE _alk_job_history_2 RENAME TO _alk_job_history;
`;
