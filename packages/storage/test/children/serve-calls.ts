// Serves `test.echo`, `test.count` and `test.stuck` over an event target on a file, until it is killed.
// Arguments: path, kind of target, consumer name.
import { setTimeout as sleep } from "node:timers/promises";
import { open } from "@alkdev/honker";
import { createCallHandler, OperationRegistry } from "@alkdev/operations";
import { Type } from "@sinclair/typebox";
import { callTarget, type TargetKind } from "../call-targets.ts";

const [path, kind, consumerName] = process.argv.slice(2) as [string, TargetKind, string];

const registry = new OperationRegistry();
const common = {
  namespace: "test",
  version: "1.0.0",
  description: "For a test.",
  inputSchema: Type.Unknown(),
  outputSchema: Type.Unknown(),
  accessControl: { requiredScopes: [], public: true as const },
};
registry.register({ ...common, name: "echo", type: "mutation", handler: (input) => input });
registry.register({
  ...common,
  name: "count",
  type: "subscription",
  handler: async function* (to) {
    for (let n = 1; n <= Number(to); n += 1) yield n;
  },
});
registry.register({
  ...common,
  name: "stuck",
  type: "mutation",
  handler: async (_, { signal }) => {
    process.send?.("running");
    // until the caller takes it back
    await sleep(2 ** 30, undefined, { signal }).catch(() => process.send?.("aborted"));
  },
});
createCallHandler({ registry, eventTarget: callTarget(open(path), kind, consumerName) });
process.send?.("ready");
