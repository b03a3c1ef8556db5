import { StorageError } from "../../errors.ts";
import {
  applyRows,
  ensureProjection,
  nextEvents,
  type ProjectionContext,
} from "./projection-context.ts";
import { readProjection, writeProjection } from "./projection-state.ts";

/**
 * Projects the next events: what they do to the graph and the consumer's offset are one commit.
 *
 * @returns how many events that were; 0 when there are none
 */
export function projectBatch(context: ProjectionContext): number {
  const { client, stream, store, consumer, graphName } = context;
  // a look first: nothing to do takes no write lock
  if (readProjection(client, graphName)?.consumer === consumer) {
    if (nextEvents({ ...context, batchSize: 1 }, stream.getOffset(consumer)).length === 0) return 0;
  }
  return client.transaction((tx) => {
    const state = ensureProjection(context, tx);
    const rows = nextEvents(context, stream.getOffset(consumer));
    const [first] = rows;
    if (first === undefined) return 0;
    if (store.getGraph(state.graphId) === null) throw graphGone(context, state.graphId);
    const through = applyRows(context, state.graphId, rows);
    stream.saveOffsetTx(tx, consumer, through);
    if (state.first === null) writeProjection(client, graphName, { ...state, first: first.offset });
    return rows.length;
  });
}

function graphGone({ graphName }: ProjectionContext, graphId: string): StorageError {
  return new StorageError("NOT_FOUND", `call graph "${graphName}" was deleted`, {
    hint: "rebuild() makes it anew from the stream",
    details: { graphName, graphId },
  });
}
