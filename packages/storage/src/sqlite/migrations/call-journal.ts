/**
 * Calls that change something, so that a request that is sent again is not run again. One that runs has
 * an owner, one that ended an outcome. Strangers have the caller "", which no identity has.
 */
export const CALL_JOURNAL: readonly string[] = [
  `CREATE TABLE _alk_storage_calls (
    id INTEGER PRIMARY KEY,
    request_id TEXT NOT NULL,
    caller_id TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    owner TEXT,
    outcome TEXT,
    at_ms INTEGER NOT NULL,
    CONSTRAINT _alk_storage_calls_state CHECK ((owner IS NULL) <> (outcome IS NULL))
  ) STRICT`,
  `CREATE UNIQUE INDEX _alk_storage_calls_call
    ON _alk_storage_calls (request_id, caller_id, operation_id)`,
  "CREATE INDEX _alk_storage_calls_at ON _alk_storage_calls (at_ms)",
];
