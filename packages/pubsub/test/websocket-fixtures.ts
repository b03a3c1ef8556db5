import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { EnvelopeEvent } from "../src/index.ts";
import {
  createWebSocketClientEventTarget,
  type WebSocketClientOptions,
} from "../src/websocket-client.ts";
import {
  createWebSocketServerEventTarget,
  type DurableEvent,
  type DurableSource,
  type WebSocketServerOptions,
} from "../src/websocket-server.ts";

export const socketOf = (url: string): WebSocket => new WebSocket(url);

export const envelope = (topic: string, payload: unknown): EnvelopeEvent => {
  const colon = topic.indexOf(":");
  return new CustomEvent(topic, {
    detail: { type: topic.slice(0, colon), id: topic.slice(colon + 1), payload },
  });
};

export const code = (expected: string): unknown => ({
  asymmetricMatch: (error: { code?: string }) => error.code === expected,
});

/** A listening server with a target behind it; closed with the test. */
export async function startServer(options: WebSocketServerOptions = {}, port = 0) {
  const errors: unknown[] = [];
  const target = createWebSocketServerEventTarget({
    onError: (error) => errors.push(error),
    ...options,
  });
  const server = new WebSocketServer({ port, host: "127.0.0.1" });
  server.on("connection", (socket) => target.addConnection(socket));
  await new Promise<void>((resolve, reject) => {
    server.once("listening", resolve);
    server.once("error", reject);
  });
  const stop = async (): Promise<void> => {
    await target.close();
    for (const client of server.clients) client.terminate();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  onTestFinished(stop);
  const address = server.address() as AddressInfo;
  return {
    target,
    server,
    stop,
    errors,
    port: address.port,
    url: `ws://127.0.0.1:${address.port}`,
  };
}

/** A client that reconnects quickly; closed with the test. */
export function startClient(url: string, options: Partial<WebSocketClientOptions> = {}) {
  const errors: unknown[] = [];
  const states: string[] = [];
  const target = createWebSocketClientEventTarget({
    url,
    createSocket: socketOf,
    reconnect: { baseMs: 5, maxMs: 20 },
    onError: (error) => errors.push(error),
    onStateChange: (state) => states.push(state),
    ...options,
  });
  onTestFinished(() => target.close());
  return { target, errors, states };
}

/** A socket without a target behind it, and what it got. */
export async function rawClient(url: string, options: object = {}) {
  const socket = new WebSocket(url, options);
  const received: { type: string; payload: { code?: unknown; topic?: unknown } }[] = [];
  const closed: { code?: number } = {};
  socket.on("message", (data) => received.push(JSON.parse(String(data))));
  socket.on("close", (closeCode) => {
    closed.code = closeCode;
  });
  socket.on("error", () => {});
  onTestFinished(() => socket.terminate());
  await new Promise((resolve) => socket.once("open", resolve));
  const send = (value: unknown): void =>
    socket.send(typeof value === "string" ? value : JSON.stringify(value));
  const control = (type: string, payload: unknown): void => send({ type, id: "", payload });
  return { socket, received, closed, send, control };
}

/** A durable log in memory: what a database would keep. */
export class MemoryLog implements DurableSource {
  readonly events: { topic: string; event: DurableEvent }[] = [];
  readonly offsets = new Map<string, number>();
  readonly #watchers = new Set<() => void>();

  append(topic: string, payload: unknown): void {
    const event = { offset: this.events.length + 1, detail: envelope(topic, payload).detail };
    this.events.push({ topic, event });
    for (const wake of this.#watchers) wake();
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  async read(topic: string, after: number, limit: number): Promise<DurableEvent[]> {
    return this.events
      .slice(after)
      .filter((entry) => entry.topic === topic)
      .slice(0, limit)
      .map((entry) => entry.event);
  }

  watch(_topic: string, wake: () => void): () => void {
    this.#watchers.add(wake);
    return () => this.#watchers.delete(wake);
  }

  newest(): number {
    return this.events.length;
  }

  async saved(consumer: string, topic: string): Promise<number | null> {
    return this.offsets.get(`${consumer} ${topic}`) ?? null;
  }

  async save(consumer: string, topic: string, offset: number): Promise<void> {
    this.offsets.set(`${consumer} ${topic}`, offset);
  }
}
