import { describeEventTarget } from "@alkdev/testkit/event-target-suite";
import { createInProcessEventTarget } from "../src/index.ts";

describeEventTarget({
  name: "in process",
  capabilities: { synchronous: true },
  create: async (onError) => {
    const target = createInProcessEventTarget<CustomEvent>({ onError });
    return { publisher: target, subscriber: target, close: () => target.close() };
  },
});
