/**
 * What waits for a call that has not been requested yet: its own events that came before it, and edges
 * of calls that name it. Ends when the call comes, with its graph, or after many more events.
 */
export const CALL_PROJECTION: readonly string[] = [
  `CREATE TABLE _alk_call_waiting (
    id INTEGER PRIMARY KEY,
    graph_id TEXT NOT NULL REFERENCES graphs (id) ON DELETE CASCADE,
    request_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    event_offset INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    source TEXT,
    event TEXT,
    trimmed INTEGER NOT NULL,
    CONSTRAINT _alk_call_waiting_kind CHECK (kind IN ('event', 'triggered', 'depends_on'))
  ) STRICT`,
  `CREATE UNIQUE INDEX _alk_call_waiting_for
    ON _alk_call_waiting (graph_id, request_id, event_offset, kind)`,
  "CREATE INDEX _alk_call_waiting_since ON _alk_call_waiting (graph_id, event_offset)",
];
