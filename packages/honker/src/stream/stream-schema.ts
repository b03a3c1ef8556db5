/**
 * Our columns on Honker's stream table and our tables beside it. The columns are nullable, so that
 * events published by Honker itself are ordinary rows; an event without extras costs four bytes more.
 *
 * `_alk_stream_messages` remembers message ids for the de-duplication window. It is a table of its own
 * because an id must outlive its event when retention removes the event first.
 *
 * `_alk_stream_groups` holds how far each group has read, `_alk_stream_pending` what it has read and not
 * acknowledged: `ready_at_ms` is the deadline of an event in work (`token` set), else the time from which
 * it may be delivered. `copy` is the event itself, where the stream may no longer have it.
 */
export const STREAM_SCHEMA: string = `
ALTER TABLE _honker_stream ADD COLUMN alk_created_ms INTEGER;
ALTER TABLE _honker_stream ADD COLUMN alk_subject TEXT;
ALTER TABLE _honker_stream ADD COLUMN alk_headers TEXT;
ALTER TABLE _honker_stream ADD COLUMN alk_message_id TEXT;
CREATE TABLE IF NOT EXISTS _alk_stream_messages (
  topic TEXT NOT NULL,
  message_id TEXT NOT NULL,
  offset INTEGER NOT NULL,
  forget_at_ms INTEGER NOT NULL,
  PRIMARY KEY (topic, message_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS _alk_stream_messages_forget
  ON _alk_stream_messages (topic, forget_at_ms);
CREATE TABLE IF NOT EXISTS _alk_stream_groups (
  topic TEXT NOT NULL,
  name TEXT NOT NULL,
  offset INTEGER NOT NULL,
  PRIMARY KEY (topic, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _alk_stream_pending (
  topic TEXT NOT NULL,
  group_name TEXT NOT NULL,
  offset INTEGER NOT NULL,
  key TEXT,
  deliveries INTEGER NOT NULL,
  ready_at_ms INTEGER NOT NULL,
  member TEXT,
  token TEXT,
  copy TEXT,
  PRIMARY KEY (topic, group_name, offset)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS _alk_stream_pending_ready
  ON _alk_stream_pending (topic, group_name, ready_at_ms);
CREATE INDEX IF NOT EXISTS _alk_stream_pending_key
  ON _alk_stream_pending (topic, group_name, key, offset) WHERE key IS NOT NULL;
CREATE TABLE IF NOT EXISTS _alk_stream_dead (
  topic TEXT NOT NULL,
  consumer TEXT NOT NULL,
  offset INTEGER NOT NULL,
  event TEXT NOT NULL,
  deliveries INTEGER NOT NULL,
  reason TEXT NOT NULL,
  died_at_ms INTEGER NOT NULL,
  PRIMARY KEY (topic, consumer, offset)
) WITHOUT ROWID;
`;
