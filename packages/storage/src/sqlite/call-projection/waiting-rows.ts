import type { Database } from "@alkdev/honker";

/** Something that waits for a call to be requested. */
export interface Waiting {
  /** The call that is waited for. */
  readonly requestId: string;
  /** An event of that call, or an edge to it: `triggered` comes from it, `depends_on` leads to it. */
  readonly kind: "event" | "triggered" | "depends_on";
  /** Offset of the event that said so. */
  readonly offset: number;
  readonly atMs: number;
  /** The call whose edge waits; null for an event. */
  readonly source: string | null;
  /** JSON of the event that waits; null for an edge. */
  readonly event: string | null;
  /** Whether that JSON lacks what was too large to keep. */
  readonly trimmed: boolean;
}

/**
 * Offsets after which nobody waits any longer. Counted in offsets, not in time, so that going through the
 * stream again decides the same.
 */
const PATIENCE = 1_000_000;

const READ = `SELECT request_id, kind, event_offset, at_ms, source, event, trimmed FROM _alk_call_waiting
  WHERE graph_id = +? AND request_id IN (SELECT value FROM json_each(?)) ORDER BY event_offset`;
const ADD = `INSERT INTO _alk_call_waiting
    (graph_id, request_id, kind, event_offset, at_ms, source, event, trimmed)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (graph_id, request_id, event_offset, kind) DO NOTHING`;
const REMOVE = `DELETE FROM _alk_call_waiting
  WHERE graph_id = +? AND request_id IN (SELECT value FROM json_each(?))`;
const FORGET = "DELETE FROM _alk_call_waiting WHERE graph_id = +? AND event_offset < ?";
const COUNT = "SELECT count(*) FROM _alk_call_waiting WHERE graph_id = +?";

/** What waits for calls of a graph, while a batch of events is applied. */
export class WaitingRows {
  readonly #client: Database;
  readonly #graphId: string;
  readonly #stored = new Map<string, Waiting[]>();
  readonly #added = new Map<string, Waiting[]>();
  readonly #taken = new Set<string>();

  /** @param requestIds the calls that the batch requests */
  constructor(client: Database, graphId: string, requestIds: readonly string[]) {
    this.#client = client;
    this.#graphId = graphId;
    for (const row of client.prepare(READ).rows([graphId, JSON.stringify(requestIds)])) {
      const [requestId, kind, offset, atMs, source, event, trimmed] = row as [
        ...[string, Waiting["kind"], number, number],
        ...[string | null, string | null, number],
      ];
      push(this.#stored, { requestId, kind, offset, atMs, source, event, trimmed: trimmed === 1 });
    }
  }

  /** Lets something wait. */
  add(waiting: Waiting): void {
    push(this.#added, waiting);
  }

  /** What has been waiting for a call that is requested at `offset`, in the order of its events. */
  take(requestId: string, offset: number): readonly Waiting[] {
    const all = [...(this.#stored.get(requestId) ?? []), ...(this.#added.get(requestId) ?? [])];
    if (this.#stored.delete(requestId)) this.#taken.add(requestId);
    this.#added.delete(requestId);
    return all.filter((waiting) => waiting.offset >= offset - PATIENCE);
  }

  /** Writes it down; `through` is the offset of the last event of the batch. */
  write(through: number): void {
    const sql = (text: string) => this.#client.prepare(text);
    const id = this.#graphId;
    if (this.#taken.size > 0) sql(REMOVE).run([id, JSON.stringify([...this.#taken])]);
    for (const waiting of [...this.#added.values()].flat()) {
      const { requestId, kind, offset, atMs, source, event, trimmed } = waiting;
      sql(ADD).run([id, requestId, kind, offset, atMs, source, event, trimmed]);
    }
    sql(FORGET).run([id, through - PATIENCE]);
  }
}

/** How much waits for calls of a graph. */
export function countWaiting(client: Database, graphId: string): number {
  return client.prepare(COUNT).row([graphId])?.[0] as number;
}

function push(map: Map<string, Waiting[]>, waiting: Waiting): void {
  const list = map.get(waiting.requestId);
  if (list === undefined) map.set(waiting.requestId, [waiting]);
  else list.push(waiting);
}
