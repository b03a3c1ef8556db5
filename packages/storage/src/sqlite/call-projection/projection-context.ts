import type { Database, Stream, Transaction } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { CallGraph } from "../../graphs/index.ts";
import type { GraphStore } from "../graph-store/graph-store.ts";
import { applyEvents } from "./apply-events.ts";
import { type CallEvent, type CallEventRow, readCallEvent } from "./call-event.ts";
import { readCallEvents, refuseCallEvent } from "./call-stream.ts";
import {
  type ProjectionState,
  readProjection,
  requireConsumer,
  writeProjection,
} from "./projection-state.ts";

/** What the parts of a projection share. */
export interface ProjectionContext {
  readonly client: Database;
  readonly store: GraphStore;
  readonly stream: Stream<unknown>;
  readonly consumer: string;
  readonly graphName: string;
  readonly batchSize: number;
  readonly maxPayloadBytes: number;
  readonly isSubscription: (operationId: string) => boolean;
}

/** Attributes that queries filter and order by. */
const INDEXED = ["status", "startedAt", "completedAt"] as const;
/** Longest calls first, without those that have not ended; read by `slowest` in `call-queries.ts`. */
const DURATION_INDEX = `CREATE INDEX IF NOT EXISTS alk_call_duration
  ON nodes (graph_id, json_extract(metadata, '$.durationMs'), key)
  WHERE json_extract(metadata, '$._metagraph.nodeType') = 'call'
    AND json_extract(metadata, '$.durationMs') IS NOT NULL`;

/** Makes an empty graph for calls, in the open transaction. Returns its id. */
export function newCallGraph({ client, store, graphName }: ProjectionContext): string {
  const type = CallGraph.name;
  const { id } = store.createGraph({ type, name: graphName, status: "active" });
  for (const attribute of INDEXED) {
    store.declareIndex({ graphType: type, nodeType: "call", attribute });
  }
  client.execute(DURATION_INDEX);
  return id;
}

/**
 * The state of the projection; the first time, in the open transaction, its graph and consumer are made.
 *
 * @throws StorageError `CONFLICT`
 */
export function ensureProjection(context: ProjectionContext, tx: Transaction): ProjectionState {
  const { client, stream, consumer, graphName } = context;
  const found = readProjection(client, graphName);
  requireConsumer(found, context);
  if (found !== null) return found;
  if (stream.getOffset(consumer) > 0) {
    throw new StorageError(
      "CONFLICT",
      `consumer "${consumer}" has read part of stream "${stream.name}" for somebody else`,
      { hint: "Give the projection a consumer of its own", details: { consumer } },
    );
  }
  const state = { consumer, graphId: newCallGraph(context), first: null, rebuild: null };
  writeProjection(client, graphName, state);
  // makes the consumer known, so that retention waits for it
  stream.saveOffsetTx(tx, consumer, 0);
  return state;
}

/** Rows of the stream after an offset, and where the next read goes on. */
export function nextEvents(
  { client, batchSize, maxPayloadBytes }: ProjectionContext,
  after: number,
): readonly CallEventRow[] {
  return readCallEvents(client, { after, limit: batchSize, maxBytes: maxPayloadBytes });
}

/** Applies rows of the stream to a graph, in the open transaction. Returns the offset of the last one. */
export function applyRows(
  context: ProjectionContext,
  graphId: string,
  rows: readonly CallEventRow[],
): number {
  const { client, store, consumer, isSubscription } = context;
  const events: CallEvent[] = [];
  for (const row of rows) {
    const event = readCallEvent(row);
    if (typeof event === "string") {
      const reason = `event of stream "${context.stream.name}" at offset ${row.offset} ${event}`;
      refuseCallEvent(client, { consumer, offset: row.offset, reason });
    } else if (event !== null) events.push(event);
  }
  const through = rows.at(-1)?.offset ?? 0;
  applyEvents({ client, graph: store.graph(graphId), isSubscription }, events, through);
  return through;
}

/** @throws StorageError `TRANSACTION_STATE` */
export function requireNoTransaction(client: Database, action: string): void {
  if (!client.inTransaction) return;
  throw new StorageError("TRANSACTION_STATE", `cannot ${action} inside a transaction`, {
    hint: "It commits batch by batch: call it outside",
  });
}
