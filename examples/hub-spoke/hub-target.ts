// The hub's configuration: calls on a durable stream, the rest as notifications, both from memory for
// listeners of this process, and all of it open to spokes over WebSocket.
import { open } from "@alkdev/honker";
import { consumerName, createRoutedEventTarget, type TypedEventTarget } from "@alkdev/pubsub";
import {
  createWebSocketServerEventTarget,
  type WebSocketServerEventTarget,
} from "@alkdev/pubsub/websocket-server";
import { createCompositeEventTarget, createStreamSource } from "@alkdev/storage/sqlite";
import { CALLS, isCall } from "./events.ts";

export interface Hub {
  readonly eventTarget: TypedEventTarget;
  readonly spokes: WebSocketServerEventTarget<{ readonly name: string }>;
  close(): Promise<void>;
}

export function configureHub(path: string): Hub {
  const db = open(path);
  const calls = createCompositeEventTarget({
    db,
    mode: "durable",
    streamName: CALLS,
    consumerName: consumerName({ role: "hub", instance: "main", purpose: "answers" }),
  });
  const news = createCompositeEventTarget({ db, mode: "ephemeral" });
  const eventTarget = createRoutedEventTarget((topic) => (isCall(topic) ? calls : news));
  const spokes = createWebSocketServerEventTarget<{ readonly name: string }>({
    upstream: eventTarget,
    durable: { source: createStreamSource({ db, streamName: CALLS }) },
    // a spoke hears its own calls only, and may publish nothing but answers
    authorize: ({ connection, action, topic }) =>
      action === "publish"
        ? topic.startsWith("call.responded:")
        : !isCall(topic) || topic === `call.requested:${connection.context.name}`,
  });
  return {
    eventTarget,
    spokes,
    async close() {
      await spokes.close();
      calls.close();
      news.close();
      db.close();
    },
  };
}
