import type { Database } from "@alkdev/honker";
import type { CallEventRow } from "./call-event.ts";

/** Name of the stream that is projected. */
export const CALL_STREAM = "call-protocol";

/** Of a payload over the limit, what makes it large never leaves SQLite; see `LARGE` in `call-event.ts`. */
const READ = `SELECT offset, coalesce(alk_created_ms, created_at * 1000),
    CASE WHEN octet_length(payload) <= ?3 THEN payload
      WHEN json_valid(payload) THEN json_remove(payload, '$.input', '$.output', '$.details')
      ELSE '' END,
    octet_length(payload) > ?3
  FROM _honker_stream WHERE topic = '${CALL_STREAM}' AND offset > ?1 ORDER BY offset LIMIT ?2`;
const FIRST = `SELECT min(offset) FROM _honker_stream WHERE topic = '${CALL_STREAM}'`;
const REFUSE = `INSERT INTO _alk_stream_dead
    (topic, consumer, offset, event, deliveries, reason, died_at_ms)
  SELECT topic, ?1, offset, json_array(offset, key, payload, created_at, alk_created_ms, alk_subject,
    alk_headers, alk_message_id), 1, ?2, ?3
  FROM _honker_stream WHERE offset = ?4
  ON CONFLICT (topic, consumer, offset) DO UPDATE SET reason = excluded.reason`;

/** Another value after each event of the stream; for `db.live`. */
export const NEWEST_CALL_EVENT = `SELECT max(offset) FROM _honker_stream WHERE topic = '${CALL_STREAM}'`;

/** Events after `after`, oldest first. */
export function readCallEvents(
  client: Database,
  {
    after,
    limit,
    maxBytes,
  }: { readonly after: number; readonly limit: number; readonly maxBytes: number },
): readonly CallEventRow[] {
  const rows = client.prepare(READ).rows([after, limit, maxBytes]);
  return rows.map(([offset, atMs, text, trimmed]) => ({
    offset: offset as number,
    atMs: atMs as number,
    text: text as string,
    trimmed: trimmed === 1,
  }));
}

/** The offset of the oldest event that is kept, or null. */
export function firstCallEvent(client: Database): number | null {
  return (client.prepare(FIRST).row()?.[0] as number | null) ?? null;
}

/** Puts an event that cannot be read among the dead letters of the consumer, as the engine does. */
export function refuseCallEvent(
  client: Database,
  { consumer, offset, reason }: { consumer: string; offset: number; reason: string },
): void {
  client.prepare(REFUSE).run([consumer, reason, Date.now(), offset]);
}
