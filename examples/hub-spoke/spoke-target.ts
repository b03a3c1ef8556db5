// A spoke's configuration: its own topics in its own file, everything else over the hub.
import { open } from "@alkdev/honker";
import { consumerName, createRoutedEventTarget, type TypedEventTarget } from "@alkdev/pubsub";
import { createWebSocketClientEventTarget } from "@alkdev/pubsub/websocket-client";
import { createCompositeEventTarget } from "@alkdev/storage/sqlite";
import { isLocal } from "./events.ts";

export interface Spoke {
  readonly eventTarget: TypedEventTarget;
  /** Resolves when the hub knows what this spoke listens to. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export function configureSpoke(name: string, path: string, hubUrl: string): Spoke {
  const db = open(path);
  const own = createCompositeEventTarget({ db, mode: "ephemeral" });
  const hub = createWebSocketClientEventTarget({
    url: `${hubUrl}?name=${encodeURIComponent(name)}`,
    durable: {
      consumer: consumerName({ role: "spoke", instance: name, purpose: "calls" }),
      topics: (topic) => topic.startsWith("call.requested:"),
    },
  });
  return {
    eventTarget: createRoutedEventTarget((topic) => (isLocal(topic) ? own : hub)),
    settled: () => hub.settled(),
    async close() {
      await hub.close();
      own.close();
      db.close();
    },
  };
}
