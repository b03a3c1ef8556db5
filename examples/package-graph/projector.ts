/** The third process: follows the stream from its saved offset and keeps a table of what came. */

import type { StreamEvent } from "@alkdev/honker";
import { untilParentIsGone } from "./child-process.ts";
import { type BatchEvent, CONSUMER, PROJECTED } from "./names.ts";
import { openStore, projectedBatches, type Store } from "./store.ts";
import { answerProbes } from "./wake-probe.ts";

const store = openStore(process.argv[2] as string);
const stopped = untilParentIsGone();
try {
  const probes = answerProbes(store.client, stopped);
  const batches = store.events.subscribe(CONSUMER, {
    // the offset is saved with the effect
    saveEveryN: 0,
    saveEverySeconds: 0,
    signal: stopped,
  });
  for await (const event of batches) project(store, event);
  await probes;
} finally {
  store.client.close();
}

/**
 * Effect and offset in one commit: whatever is killed when, and however many projectors run, each
 * event is projected once.
 */
function project({ db, events }: Store, { offset, payload }: StreamEvent<BatchEvent>): void {
  db.transaction((tx) => {
    // false: another projector was here before
    if (!events.saveOffsetTx(tx.$honkerTx, CONSUMER, offset)) return;
    const { graphId, batch, keys, edges } = payload;
    tx.insert(projectedBatches)
      .values({ eventOffset: offset, graphId, batch, nodes: keys.length, edges })
      .run();
    tx.$honkerTx.notify(PROJECTED, { graphId, batch });
  });
}
