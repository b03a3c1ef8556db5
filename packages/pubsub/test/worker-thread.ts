/** The thread of worker.test.ts: doubles what it gets, and says something nobody listens to. */
import { parentPort } from "node:worker_threads";
import { createPubSub } from "@alkdev/pubsub";
import { createWorkerThreadEventTarget } from "@alkdev/pubsub/worker";

interface Events {
  number: number;
  double: number;
  unheard: number;
}

const target = createWorkerThreadEventTarget();
const pubsub = createPubSub<Events>({ eventTarget: target });
parentPort?.postMessage({ foreign: "not ours" });
for await (const { payload } of pubsub.subscribe("number", "")) {
  if (payload < 0) break;
  pubsub.publish("double", "", payload * 2);
  pubsub.publish("unheard", "", payload);
}
await target.close();
