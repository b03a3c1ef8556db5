/**
 * Our columns on Honker's job tables and our tables beside them. All columns are nullable, so that a
 * job enqueued by Honker itself is an ordinary row.
 *
 * - `alk_run_at_ms` is the run time in milliseconds where whole seconds are not enough; `run_at` is then
 *   the next whole second, so that Honker never runs the job early. It counts only while it lies in
 *   the second before `run_at`: a retry by Honker moves `run_at` alone.
 * - `alk_parked` takes a job out of the ready index while its key is at its limit, so that a claim
 *   never walks over the jobs of a busy key twice. The triggers bring one back per job of the key that
 *   leaves, whoever removed it; bringing back too many is harmless, the next claim parks them again.
 * - The partial indexes hold only rows that use the feature: they cost other jobs nothing.
 */
export const QUEUE_SCHEMA: string = `
ALTER TABLE _honker_live ADD COLUMN alk_run_at_ms INTEGER;
ALTER TABLE _honker_live ADD COLUMN alk_key TEXT;
ALTER TABLE _honker_live ADD COLUMN alk_unique TEXT;
ALTER TABLE _honker_live ADD COLUMN alk_parked INTEGER;
ALTER TABLE _honker_live ADD COLUMN alk_backoff TEXT;
ALTER TABLE _honker_live ADD COLUMN alk_headers TEXT;
ALTER TABLE _honker_live ADD COLUMN alk_progress TEXT;
ALTER TABLE _honker_live ADD COLUMN alk_ready_at_ms INTEGER GENERATED ALWAYS AS (
  CASE WHEN alk_run_at_ms > (run_at - 1) * 1000 AND alk_run_at_ms <= run_at * 1000
    THEN alk_run_at_ms ELSE run_at * 1000 END) VIRTUAL;

CREATE INDEX IF NOT EXISTS _alk_live_ready
  ON _honker_live (queue, priority DESC, alk_ready_at_ms, id)
  WHERE state = 'pending' AND alk_parked IS NULL;
CREATE INDEX IF NOT EXISTS _alk_live_run_at_ms
  ON _honker_live (queue, alk_run_at_ms)
  WHERE alk_run_at_ms IS NOT NULL AND state = 'pending';
CREATE INDEX IF NOT EXISTS _alk_live_expiry
  ON _honker_live (queue, expires_at)
  WHERE expires_at IS NOT NULL AND state = 'pending';
CREATE INDEX IF NOT EXISTS _alk_live_unique
  ON _honker_live (queue, alk_unique, state) WHERE alk_unique IS NOT NULL;
CREATE INDEX IF NOT EXISTS _alk_live_key
  ON _honker_live (queue, alk_key, id) WHERE alk_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS _alk_live_key_running
  ON _honker_live (queue, alk_key) WHERE alk_key IS NOT NULL AND state = 'processing';
CREATE INDEX IF NOT EXISTS _alk_live_parked
  ON _honker_live (queue, alk_key, priority DESC, alk_ready_at_ms, id)
  WHERE alk_parked IS NOT NULL;

CREATE TRIGGER IF NOT EXISTS _alk_live_unpark_after_delete
AFTER DELETE ON _honker_live WHEN old.alk_key IS NOT NULL
BEGIN
  UPDATE _honker_live SET alk_parked = NULL WHERE alk_parked IS NOT NULL AND id IN (
    (SELECT id FROM _honker_live
      WHERE queue = old.queue AND alk_key = old.alk_key AND alk_parked IS NOT NULL
      ORDER BY priority DESC, alk_ready_at_ms, id LIMIT 1),
    (SELECT min(id) FROM _honker_live WHERE queue = old.queue AND alk_key = old.alk_key));
END;
CREATE TRIGGER IF NOT EXISTS _alk_live_unpark_after_release
AFTER UPDATE OF state ON _honker_live
WHEN old.alk_key IS NOT NULL AND old.state = 'processing' AND new.state = 'pending'
BEGIN
  UPDATE _honker_live SET alk_parked = NULL WHERE alk_parked IS NOT NULL AND id = (
    SELECT id FROM _honker_live
      WHERE queue = old.queue AND alk_key = old.alk_key AND alk_parked IS NOT NULL
      ORDER BY priority DESC, alk_ready_at_ms, id LIMIT 1);
END;

ALTER TABLE _honker_dead ADD COLUMN alk_reason TEXT;
ALTER TABLE _honker_dead ADD COLUMN alk_key TEXT;
ALTER TABLE _honker_dead ADD COLUMN alk_unique TEXT;
ALTER TABLE _honker_dead ADD COLUMN alk_backoff TEXT;
ALTER TABLE _honker_dead ADD COLUMN alk_headers TEXT;
CREATE INDEX IF NOT EXISTS _alk_dead_queue ON _honker_dead (queue, id);

CREATE INDEX IF NOT EXISTS _alk_results_expiry
  ON _honker_results (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS _alk_queues (
  queue TEXT PRIMARY KEY,
  paused_at_ms INTEGER
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS _alk_unique_windows (
  queue TEXT NOT NULL,
  unique_key TEXT NOT NULL,
  job_id INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  PRIMARY KEY (queue, unique_key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS _alk_unique_windows_until ON _alk_unique_windows (queue, until_ms);

CREATE TABLE IF NOT EXISTS _alk_job_history (
  id INTEGER PRIMARY KEY,
  queue TEXT NOT NULL,
  job_id INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  worker_id TEXT,
  enqueued_at INTEGER NOT NULL,
  started_at_ms INTEGER,
  ended_at_ms INTEGER NOT NULL,
  error TEXT
);
CREATE INDEX IF NOT EXISTS _alk_job_history_job ON _alk_job_history (queue, job_id);
`;
