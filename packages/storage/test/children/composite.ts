// Answers each "ping" with a "pong" over a composite event target on the file given as argument.
import { open } from "@alkdev/honker";
import { createPubSub } from "@alkdev/pubsub";
import { createCompositeEventTarget } from "@alkdev/storage/sqlite";

const db = open(process.argv[2] as string);
const pubsub = createPubSub<{ ping: number; pong: number }>({
  eventTarget: createCompositeEventTarget({ db, mode: "ephemeral" }),
});
const pings = pubsub.subscribe("ping", "1");
process.send?.("ready");
for await (const { payload } of pings) pubsub.publish("pong", "1", payload);
