/** Where Honker's column keeps schedules that only this library may fire: 9999-12-31T23:59:59Z. */
export const PARKED_AT = 253_402_300_799;

/**
 * What Honker has no columns for, beside its schedules.
 *
 * Honker fires by the local time of its process and makes up all missed runs, so a schedule it would
 * fire at another time is parked: `next_fire_at` lies at the end of time and `alk_next_at` holds the
 * real one. Its pause, resume and unregister go on working. The triggers keep that true when Honker
 * registers such a schedule again: with the same expression it stays ours, with another it is Honker's.
 */
export const SCHEDULE_SCHEMA: string = `
ALTER TABLE _honker_scheduler_tasks ADD COLUMN alk_expression TEXT;
ALTER TABLE _honker_scheduler_tasks ADD COLUMN alk_time_zone TEXT;
ALTER TABLE _honker_scheduler_tasks ADD COLUMN alk_missed TEXT;
ALTER TABLE _honker_scheduler_tasks ADD COLUMN alk_next_at INTEGER;
CREATE TRIGGER IF NOT EXISTS _alk_scheduler_taken_over
AFTER UPDATE OF cron_expr ON _honker_scheduler_tasks
WHEN NEW.cron_expr <> OLD.cron_expr AND NEW.alk_expression IS OLD.alk_expression
  AND NEW.alk_expression IS NOT NULL BEGIN
  UPDATE _honker_scheduler_tasks SET alk_expression = NULL, alk_time_zone = NULL,
    alk_missed = NULL, alk_next_at = NULL WHERE name = NEW.name;
END;
CREATE TRIGGER IF NOT EXISTS _alk_scheduler_parked
AFTER UPDATE OF next_fire_at ON _honker_scheduler_tasks
WHEN NEW.alk_next_at IS NOT NULL AND NEW.next_fire_at <> ${PARKED_AT}
  AND NEW.cron_expr = OLD.cron_expr BEGIN
  UPDATE _honker_scheduler_tasks SET next_fire_at = ${PARKED_AT} WHERE name = NEW.name;
END;
`;
