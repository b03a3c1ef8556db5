/**
 * Our columns on Honker's stream table and our tables beside it. The columns are nullable, so that
 * events published by Honker itself are ordinary rows; an event without extras costs four bytes more.
 *
 * `_alk_stream_messages` remembers message ids for the de-duplication window. It is a table of its own
 * because an id must outlive its event when retention removes the event first.
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
`;
