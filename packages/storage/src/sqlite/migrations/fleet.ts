/**
 * At which version each tenant's file was last seen, and the migrations of all tenants. `app_version` is the
 * time of the newest migration of the application's own tables. One run can be open at a time.
 */
export const FLEET: readonly string[] = [
  "ALTER TABLE _alk_tenants ADD COLUMN schema_version INTEGER",
  "ALTER TABLE _alk_tenants ADD COLUMN app_version INTEGER",
  `CREATE TABLE _alk_fleet_runs (
    id TEXT PRIMARY KEY NOT NULL,
    state TEXT NOT NULL,
    phase TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    app_version INTEGER NOT NULL,
    options TEXT NOT NULL,
    reason TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    CONSTRAINT _alk_fleet_runs_state CHECK (state IN ('running', 'paused', 'done', 'stopped', 'aborted')),
    CONSTRAINT _alk_fleet_runs_phase CHECK (phase IN ('canaries', 'rest')),
    CONSTRAINT _alk_fleet_runs_options_json CHECK (json_valid(options)),
    CONSTRAINT _alk_fleet_runs_ended CHECK ((ended_at IS NULL) = (state IN ('running', 'paused')))
  ) WITHOUT ROWID`,
  `CREATE UNIQUE INDEX _alk_fleet_runs_open ON _alk_fleet_runs (ended_at IS NULL)
    WHERE ended_at IS NULL`,
  `CREATE TABLE _alk_fleet_tenants (
    run_id TEXT NOT NULL REFERENCES _alk_fleet_runs (id) ON DELETE CASCADE,
    org_id TEXT NOT NULL,
    canary INTEGER NOT NULL,
    status TEXT NOT NULL,
    job_id INTEGER,
    from_schema INTEGER NOT NULL,
    from_app INTEGER NOT NULL,
    backup TEXT,
    error TEXT,
    duration_ms INTEGER,
    ended_at INTEGER,
    PRIMARY KEY (run_id, org_id),
    CONSTRAINT _alk_fleet_tenants_status CHECK (status IN ('pending', 'done', 'failed', 'skipped'))
  ) WITHOUT ROWID`,
  `CREATE INDEX _alk_fleet_tenants_by_status
    ON _alk_fleet_tenants (run_id, status, canary, org_id)`,
];
