import { describeEventTarget, type TestedEventTarget } from "@alkdev/testkit/event-target-suite";
import { MemoryLog, socketOf, startClient, startServer } from "./websocket-fixtures.ts";

for (const [socket, createSocket] of [
  ["ws", socketOf],
  ["the platform's WebSocket", undefined],
] as const) {
  describeEventTarget({
    name: `WebSocket server to client over ${socket}`,
    capabilities: { transport: true, ...(createSocket === undefined && { topics: 1_000 }) },
    create: async (onError) => {
      const { target: server, url } = await startServer();
      const { target: client } = startClient(url, {
        onError,
        ...(createSocket && { createSocket }),
        ...(createSocket === undefined && { createSocket: (to: string) => new WebSocket(to) }),
      });
      await client.settled();
      return {
        publisher: server as unknown as TestedEventTarget,
        subscriber: client as unknown as TestedEventTarget,
        settle: () => client.settled(),
        transportListeners: (topic) =>
          [...server.connections].filter((each) => [...each.topics].includes(topic)).length,
        close: () => client.close(),
      };
    },
  });
}

describeEventTarget({
  name: "WebSocket client to server",
  capabilities: {},
  create: async (onError) => {
    const { target: server, url } = await startServer({ onError });
    const { target: client } = startClient(url);
    await client.settled();
    return {
      publisher: client as unknown as TestedEventTarget,
      subscriber: server as unknown as TestedEventTarget,
      close: () => client.close(),
    };
  },
});

describeEventTarget({
  name: "WebSocket durable topics",
  capabilities: { transport: true, redelivers: true, topics: 1_000 },
  create: async (onError) => {
    const log = new MemoryLog();
    const { target: server, url } = await startServer({ durable: { source: log } });
    const { target: client } = startClient(url, {
      onError,
      durable: { consumer: "suite", from: "now", retry: { baseMs: 1, maxMs: 2 } },
    });
    await client.settled();
    let closed = false;
    const publisher: TestedEventTarget = {
      addEventListener: () => {},
      removeEventListener: () => {},
      dispatchEvent(event) {
        if (closed) throw Object.assign(new Error("closed"), { code: "CLOSED" });
        log.append(event.type, event.detail.payload);
        return true;
      },
      close() {
        closed = true;
      },
    };
    return {
      publisher,
      subscriber: client as unknown as TestedEventTarget,
      settle: () => client.settled(),
      transportListeners: (topic) =>
        [...server.connections].filter((each) => [...each.topics].includes(topic)).length,
      close: () => client.close(),
    };
  },
});
