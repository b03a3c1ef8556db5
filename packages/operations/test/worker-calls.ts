/** The thread of protocol-worker.test.ts: serves `math.add`, `math.count` and `math.work`, which ends the thread. */
import { createWorkerThreadEventTarget } from "@alkdev/pubsub/worker";
import { createCallHandler, OperationRegistry } from "../src/index.ts";
import { addSpec, countSpec, workSpec } from "./specs.ts";

const registry = new OperationRegistry();
registry.register({ ...addSpec, handler: ({ a, b }) => a + b });
registry.register({
  ...countSpec,
  handler: async function* ({ to }) {
    for (let n = 1; n <= to; n += 1) yield n;
  },
});
registry.register({ ...workSpec, handler: () => process.exit(1) });
createCallHandler({
  registry,
  eventTarget: createWorkerThreadEventTarget(),
  trustIdentity: true,
});
