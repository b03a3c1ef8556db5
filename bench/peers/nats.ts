// NATS core publish and subscribe, and JetStream with file storage.
import {
  AckPolicy,
  type JsMsg,
  jetstream,
  jetstreamManager,
  StorageType,
} from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { type DurabilityOf, NATS_ALWAYS, NATS_DEFAULT, NOT_KEPT } from "../harness/durability.ts";
import type { Payload } from "../harness/payload.ts";
import type { Log, Peer, PubSubPeer, StreamPeer } from "../harness/peer.ts";
import { type ServerName, serverPort } from "../harness/servers.ts";

type NatsServer = Extract<ServerName, `nats${string}`>;

function connected(server: NatsServer): Promise<NatsConnection> {
  return connect({ servers: `127.0.0.1:${serverPort(server)}` });
}

const pubsub: PubSubPeer = {
  prepare() {},
  async connect({ name }) {
    const nats = await connected("nats");
    return {
      async publish(message) {
        nats.publish(name, JSON.stringify(message));
      },
      async subscribe(handler) {
        nats.subscribe(name, { callback: (_error, message) => handler(message.json<Payload>()) });
        await nats.flush();
      },
      close: () => nats.close(),
    };
  },
};

function stream(server: NatsServer): StreamPeer {
  const open = async (name: string): Promise<Log & { consume: typeof consume }> => {
    const nats = await connected(server);
    const js = jetstream(nats);
    const subject = `${name}.all`;
    const append = (message: Payload): Promise<unknown> =>
      js.publish(subject, JSON.stringify(message));
    const consumer = await js.consumers.get(name, name);
    const consume = async (handler: (payload: Payload) => void): Promise<void> => {
      await consumer.consume({
        callback: (message) => {
          handler(message.json<Payload>());
          message.ack();
        },
      });
    };
    return {
      sync: false,
      append,
      async appendMany(messages) {
        await Promise.all(messages.map(append));
      },
      async read(limit) {
        const batch = await consumer.fetch({ max_messages: limit, expires: 1_000 });
        const found: Payload[] = [];
        let last: JsMsg | undefined;
        for await (const message of batch) {
          found.push(message.json<Payload>());
          last = message;
        }
        // AckPolicy.All: the last one stands for those before it
        await last?.ackAck();
        return found;
      },
      consume,
      close: () => nats.close(),
    };
  };
  return {
    async prepare({ name }) {
      const nats = await connected(server);
      const manager = await jetstreamManager(nats);
      await manager.streams.add({ name, subjects: [`${name}.>`], storage: StorageType.File });
      await manager.consumers.add(name, { durable_name: name, ack_policy: AckPolicy.All });
      await nats.close();
    },
    connect: ({ name }) => open(name),
    async follow({ name }, handler) {
      const log = await open(name);
      await log.consume(handler);
      return log;
    },
  };
}

const SERVERS: readonly (readonly [NatsServer, DurabilityOf])[] = [
  ["nats", NATS_DEFAULT],
  ["nats-sync", NATS_ALWAYS],
];

export const peers: readonly Peer[] = [
  ...SERVERS.map(
    ([server, durability]): Peer => ({
      id: server.replace("nats", "nats-jetstream"),
      settings:
        "@nats-io/jetstream 3.4.0, file storage: publish with its ack awaited (1,024 per call: all acks in flight), pull consumer, ack policy all, one confirmed ack per 256",
      ...durability,
      needs: [server],
      stream: stream(server),
    }),
  ),
  {
    id: "nats-core",
    settings:
      "@nats-io/transport-node 3.4.0 publish and subscribe; publish does not wait for the server",
    ...NOT_KEPT,
    needs: ["nats"],
    pubsub,
  },
];
