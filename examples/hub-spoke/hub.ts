// The hub's process. Its parent tells it what to publish.
import type { AddressInfo } from "node:net";
import { createPubSub } from "@alkdev/pubsub";
import { WebSocketServer } from "ws";
import type { Events } from "./events.ts";
import { configureHub } from "./hub-target.ts";

const hub = configureHub(process.argv[2] as string);
const pubsub = createPubSub<Events>({ eventTarget: hub.eventTarget });

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
server.on("connection", (socket, request) => {
  // a real hub authenticates here; see the guide on events
  const { searchParams } = new URL(request.url ?? "/", "ws://hub");
  hub.spokes.addConnection(socket, { name: searchParams.get("name") ?? "unknown" });
});
server.once("listening", () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ kind: "listening", url: `ws://127.0.0.1:${port}` });
});

process.on("message", async (message: { kind: string; spoke?: string; id: string }) => {
  if (message.kind === "call" && message.spoke !== undefined) {
    const answers = pubsub.subscribe("call.responded", message.id);
    pubsub.publish("call.requested", message.spoke, {
      requestId: message.id,
      operationId: "demo.echo",
    });
    const answer = await answers.next();
    await answers.return();
    process.send?.({ kind: "answered", ...answer.value?.payload });
  } else if (message.kind === "news") {
    pubsub.publish("graph:created", "", { graphId: message.id });
  }
});
process.once("disconnect", () => process.exit());
