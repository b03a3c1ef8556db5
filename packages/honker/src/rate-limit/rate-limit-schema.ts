/**
 * The end of a fixed window beside Honker's row of it, so that rows can be deleted as soon as they are
 * over, and the log of the sliding limits: `total` is the running sum of `cost` up to and including the
 * row, so that what a window holds is the difference of two rows.
 */
export const RATE_LIMIT_SCHEMA: string = `
ALTER TABLE _honker_rate_limits ADD COLUMN alk_ends_at INTEGER;
CREATE INDEX IF NOT EXISTS _alk_rate_limits_end
  ON _honker_rate_limits (alk_ends_at) WHERE alk_ends_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS _alk_rate_events (
  name TEXT NOT NULL,
  per_ms INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  total INTEGER NOT NULL,
  ends_at_ms INTEGER NOT NULL,
  UNIQUE (name, per_ms, at_ms)
);
CREATE INDEX IF NOT EXISTS _alk_rate_events_end ON _alk_rate_events (ends_at_ms);
`;
