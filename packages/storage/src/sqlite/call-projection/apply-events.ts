import type { Database } from "@alkdev/honker";
import type { Graph } from "../graph-store/graph.ts";
import type { EdgeInput } from "../graph-store/inputs.ts";
import type { StoredNode } from "../graph-store/rows.ts";
import {
  type CallEvent,
  type OutcomeEvent,
  type RequestedEvent,
  readCallEvent,
} from "./call-event.ts";
import { afterEvent, type CallNotes, type CallRecord, newCall } from "./call-record.ts";
import { type Waiting, WaitingRows } from "./waiting-rows.ts";

/** What {@link applyEvents} writes to. */
export interface ApplyContext {
  readonly client: Database;
  readonly graph: Graph;
  /** Whether calls of an operation expect a sequence of answers, where their requests do not say so. */
  readonly isSubscription: (operationId: string) => boolean;
}

const EXISTING = `SELECT key FROM nodes
  WHERE graph_id = +? AND key IN (SELECT value FROM json_each(?))`;

/**
 * Applies events, in the order of the stream, in the open transaction. What the graph becomes depends on
 * the events alone, not on how they are cut into batches.
 *
 * @param through offset up to which the stream has been read
 */
export function applyEvents(
  context: ApplyContext,
  events: readonly CallEvent[],
  through: number,
): void {
  const batch = new Batch(context, events);
  for (const event of events) {
    if (event.type === "call.requested") batch.requested(event);
    else batch.outcome(event);
  }
  batch.write(through);
}

/** Calls and edges that events of one batch touch, in memory until all are applied. */
class Batch {
  readonly #context: ApplyContext;
  readonly #records = new Map<string, CallRecord>();
  readonly #changed = new Set<string>();
  /** Calls that are in the graph, among those that the batch names. */
  readonly #known: Set<string>;
  readonly #edges = new Map<string, EdgeInput>();
  readonly #waiting: WaitingRows;

  constructor(context: ApplyContext, events: readonly CallEvent[]) {
    const { client, graph } = context;
    this.#context = context;
    const own = [...new Set(events.map(({ requestId }) => requestId))];
    for (const node of graph.getNodes(own)) {
      if (node !== null) this.#records.set(node.key, recordOf(node));
    }
    const requests = events.filter((event) => event.type === "call.requested");
    const named = requests.flatMap(({ parent, dependsOn }) => [parent ?? [], dependsOn].flat());
    const found = client.prepare(EXISTING).rows([graph.id, JSON.stringify([...new Set(named)])]);
    this.#known = new Set([...this.#records.keys(), ...found.map(([key]) => key as string)]);
    const fresh = requests.map(({ requestId }) => requestId);
    this.#waiting = new WaitingRows(client, graph.id, [...new Set(fresh)]);
  }

  requested(event: RequestedEvent): void {
    const { requestId, operationId, parent, dependsOn, many } = event;
    if (this.#records.has(requestId)) return;
    const isMany = many ?? this.#context.isSubscription(operationId);
    this.#set(requestId, newCall(event, isMany ? "many" : "one"));
    this.#known.add(requestId);
    if (parent !== null) this.#link("triggered", parent, event);
    for (const needed of dependsOn) this.#link("depends_on", needed, event);
    for (const waiting of this.#waiting.take(requestId, event.offset)) this.#arrived(waiting);
  }

  outcome(event: OutcomeEvent): void {
    const { requestId, row } = event;
    const record = this.#records.get(requestId);
    if (record !== undefined) this.#set(requestId, afterEvent(record, event));
    else this.#waiting.add({ ...row, requestId, kind: "event", source: null, event: row.text });
  }

  write(through: number): void {
    const { graph } = this.#context;
    const nodes = [...this.#changed].map((key) => {
      const { attributes, notes } = this.#records.get(key) as CallRecord;
      return { key, type: "call", attributes, metadata: { ...notes } };
    });
    if (nodes.length > 0) graph.upsertNodes(nodes);
    if (this.#edges.size > 0) graph.upsertEdges([...this.#edges.values()]);
    this.#waiting.write(through);
  }

  #set(requestId: string, record: CallRecord): void {
    if (this.#records.get(requestId) === record) return;
    this.#records.set(requestId, record);
    this.#changed.add(requestId);
  }

  #link(kind: "triggered" | "depends_on", wanted: string, event: RequestedEvent): void {
    const { requestId, offset, atMs } = event;
    if (this.#known.has(wanted)) this.#edge(kind, requestId, wanted);
    else {
      const edge = { offset, atMs, event: null, trimmed: false };
      this.#waiting.add({ ...edge, requestId: wanted, kind, source: requestId });
    }
  }

  #arrived({ requestId, kind, source, event, ...row }: Waiting): void {
    if (kind !== "event") {
      this.#edge(kind, source as string, requestId);
      return;
    }
    const read = readCallEvent({ ...row, text: event as string });
    if (read === null || typeof read === "string" || read.type === "call.requested") return;
    this.outcome(read);
  }

  /** @param call whose request named `wanted` */
  #edge(type: "triggered" | "depends_on", call: string, wanted: string): void {
    const [source, target] = type === "triggered" ? [wanted, call] : [call, wanted];
    this.#edges.set(JSON.stringify([type, source, target]), { type, source, target });
  }
}

function recordOf({ attributes, metadata }: StoredNode): CallRecord {
  const { answers, durationMs, sequence, leftOut } = metadata as Partial<CallNotes>;
  return {
    attributes,
    notes: {
      answers: answers ?? "one",
      ...(sequence === undefined ? {} : { sequence }),
      ...(durationMs === undefined ? {} : { durationMs }),
      ...(leftOut === undefined ? {} : { leftOut }),
    },
  };
}
