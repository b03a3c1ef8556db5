import { HONKER_TABLES } from "../../schema/honker-schema.ts";
import type { Diagnosis, Examination } from "./finding.ts";

const COMPANION_TABLES = `SELECT name FROM sqlite_master
  WHERE type = 'table' AND name LIKE '\\_alk\\_%' ESCAPE '\\' ORDER BY name`;

/** How a table is kept small, by its name. */
const BOUNDED_BY: Readonly<Record<string, string>> = {
  _honker_notifications: "Lower the notification retention, or call prune() more often",
  _honker_live: "Add workers, or stop what enqueues faster than they work",
  _honker_dead: "Look at the dead letters, then redrive or purge them",
  _honker_stream: "Give the stream a retention, and prune()",
  _honker_results: "Save results with an expiry, and prune()",
  _honker_rate_limits: "Call prune() to drop windows that have passed",
  _alk_stream_dead: "Look at the dead letters of the streams, then redrive or purge them",
  _alk_stream_pending: "Add members to the group, or acknowledge what was processed",
};

/** Rows that carry a later time than this machine has: leases and delays then last too long. */
export function clockSkew({ core, thresholds }: Examination): Diagnosis[] {
  const now = core.nowSeconds();
  const found: Diagnosis[] = [];
  for (const [table, shape] of Object.entries(HONKER_TABLES)) {
    if (!Object.hasOwn(shape.columns, "created_at")) continue;
    const [rows, newest] = core
      .prepare(`SELECT count(*), max(created_at) FROM ${table} WHERE created_at > ?`)
      .row([now + thresholds.skewSeconds]) ?? [0, 0];
    if (rows === 0) continue;
    found.push({
      code: "CLOCK_SKEW",
      severity: "warning",
      message: `${rows} rows of ${table} were created up to ${Number(newest) - now} seconds in the future`,
      advice:
        "Synchronize the clocks of all machines that write this file (chrony, systemd-timesyncd)",
      details: { table, rows, newest, now },
    });
  }
  return found;
}

/** Tables that have grown past what any retention would leave. */
export function unboundedTables({ core, thresholds }: Examination): Diagnosis[] {
  const companions = core.prepare(COMPANION_TABLES).rows([]).map(String);
  const found: Diagnosis[] = [];
  for (const table of [...Object.keys(HONKER_TABLES), ...companions]) {
    const rows = Number(core.prepare(`SELECT count(*) FROM ${table}`).row([])?.[0]);
    if (rows <= thresholds.rows) continue;
    found.push({
      code: "UNBOUNDED_TABLE",
      severity: "warning",
      message: `table ${table} has ${rows} rows`,
      advice: BOUNDED_BY[table] ?? "Call prune(), and set the retention of what fills it",
      details: { table, rows },
    });
  }
  return found;
}
