/**
 * Fencing tokens and millisecond expiry beside Honker's locks. Triggers keep them right whoever writes
 * `_honker_locks`: Honker's SQL functions, its native binding or plain SQL. AUTOINCREMENT never gives a
 * token twice, so one counter serves all names and a released lock leaves no row behind.
 */
export const LOCK_SCHEMA: string = `
CREATE TABLE IF NOT EXISTS _alk_locks (
  token INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  expires_at_ms INTEGER
);
INSERT INTO _alk_locks (name) SELECT name FROM _honker_locks WHERE true ON CONFLICT DO NOTHING;
CREATE TRIGGER IF NOT EXISTS _alk_locks_acquired AFTER INSERT ON _honker_locks BEGIN
  DELETE FROM _alk_locks WHERE name = NEW.name;
  INSERT INTO _alk_locks (name) VALUES (NEW.name);
END;
CREATE TRIGGER IF NOT EXISTS _alk_locks_taken AFTER UPDATE OF owner ON _honker_locks
WHEN NEW.owner <> OLD.owner BEGIN
  DELETE FROM _alk_locks WHERE name = NEW.name;
  INSERT INTO _alk_locks (name) VALUES (NEW.name);
END;
CREATE TRIGGER IF NOT EXISTS _alk_locks_renewed AFTER UPDATE OF expires_at ON _honker_locks BEGIN
  UPDATE _alk_locks SET expires_at_ms = NULL WHERE name = NEW.name;
END;
CREATE TRIGGER IF NOT EXISTS _alk_locks_released AFTER DELETE ON _honker_locks BEGIN
  DELETE FROM _alk_locks WHERE name = OLD.name;
END;
`;
