import { eventually } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { createPubSub } from "../src/index.ts";
import {
  code,
  envelope,
  MemoryLog,
  rawClient,
  startClient,
  startServer,
} from "./websocket-fixtures.ts";

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

async function durableServer(log: MemoryLog, window = 16, port = 0) {
  return startServer({ durable: { source: log, window } }, port);
}

describe("WebSocket durable topics (M23)", () => {
  it("loses and doubles nothing while connections are cut again and again", async () => {
    const log = new MemoryLog();
    const { server, url } = await durableServer(log);
    const { target: client } = startClient(url, { durable: { consumer: "c" } });
    const seen: unknown[] = [];
    client.addEventListener("n:", async (event) => {
      if (seen.length % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      seen.push(event.detail.payload);
    });
    const total = 2_000;
    for (let n = 0; n < total; n++) {
      log.append("other:", n);
      log.append("n:", n);
      if (n % 97 === 0) for (const socket of server.clients) socket.terminate();
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually("all have arrived", () => seen.length >= total, 10_000);
    expect(seen).toEqual(numbers(0, total));
    await eventually("the last is confirmed", () => log.offsets.get("c n:") === 2 * total);
  });

  it("goes on where a restarted client stopped, also after a restart of the server", async () => {
    const log = new MemoryLog();
    const first = await durableServer(log);
    const seen: unknown[] = [];
    const listen = (port: string) => {
      const { target } = startClient(port, { durable: { consumer: "dashboard" } });
      target.addEventListener("n:", (event) => void seen.push(event.detail.payload));
      return target;
    };
    for (const n of numbers(0, 10)) log.append("n:", n);
    const client = listen(first.url);
    await eventually("history arrives", () => seen.length === 10);
    await client.close();
    for (const n of numbers(10, 20)) log.append("n:", n);
    await first.stop();
    const second = await durableServer(log, 16, first.port);
    listen(second.url);
    await eventually("the rest arrives", () => seen.length >= 20);
    expect(seen).toEqual(numbers(0, 20));
  });

  it("does not wait for a server that goes while the client closes", async () => {
    const { server, url } = await durableServer(new MemoryLog());
    const { target } = startClient(url, { durable: { consumer: "c" } });
    target.addEventListener("n:", () => undefined);
    await target.settled();
    for (const socket of server.clients) socket.pause(); // it hears nothing any more
    const began = performance.now();
    const closing = target.close();
    await new Promise((resolve) => setImmediate(resolve));
    for (const socket of server.clients) socket.terminate();
    await closing;
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  it("delivers again what a client that crashed had not confirmed", async () => {
    const log = new MemoryLog();
    const { url } = await durableServer(log);
    for (const n of numbers(0, 5)) log.append("n:", n);
    const crashing = await rawClient(url);
    crashing.control("__subscribe", { topic: "n:", consumer: "c" });
    await eventually("all were sent", () => crashing.received.length === 5);
    crashing.control("__ack", { topic: "n:", offset: 2 });
    await eventually("that is saved", () => log.offsets.get("c n:") === 2);
    crashing.socket.terminate();
    const seen: unknown[] = [];
    startClient(url, { durable: { consumer: "c" } }).target.addEventListener("n:", (event) => {
      seen.push(event.detail.payload);
    });
    await eventually("the rest arrives", () => seen.length >= 3);
    expect(seen).toEqual([2, 3, 4]);
  });

  it("starts behind the offset the embedder kept, or with what comes", async () => {
    const log = new MemoryLog();
    const { url } = await durableServer(log);
    for (const n of numbers(0, 5)) log.append("n:", n);
    const [own, now]: [unknown[], unknown[]] = [[], []];
    const one = startClient(url, { durable: { after: () => 3 } }).target;
    const offsets: unknown[] = [];
    one.addEventListener("n:", (event) => {
      own.push(event.detail.payload);
      offsets.push((event as { offset?: number }).offset);
    });
    const two = startClient(url, { durable: { from: "now", after: () => null } }).target;
    two.addEventListener("n:", (event) => void now.push(event.detail.payload));
    await Promise.all([one.settled(), two.settled()]);
    log.append("n:", 5);
    await eventually("the new one arrives", () => own.length === 3 && now.length === 1);
    expect({ own, now, offsets }).toEqual({ own: [3, 4, 5], now: [5], offsets: [4, 5, 6] });
  });

  it("never sends more than the window ahead of the confirmations", async () => {
    const log = new MemoryLog();
    const { url } = await durableServer(log, 4);
    for (const n of numbers(0, 100)) log.append("n:", n);
    const client = await rawClient(url);
    client.control("__subscribe", { topic: "n:", after: 0 });
    await eventually("the window is full", () => client.received.length === 4);
    client.control("__ack", { topic: "n:", offset: 1 });
    await eventually("one more comes", () => client.received.length === 5);
    client.control("__ping", { nonce: 1 });
    await eventually("and no other", () => client.received.at(-1)?.type === "__pong");
    expect(client.received).toHaveLength(6);
    client.control("__ack", { topic: "n:", offset: 99 });
    await eventually("a false ack is refused", () => client.received.length === 7);
    expect(client.received.at(-1)?.payload.code).toBe("MALFORMED_FRAME");
  });

  it("refuses a consumer name that another live client has, and takes over when that one is gone", async () => {
    const log = new MemoryLog();
    const { url } = await durableServer(log);
    const first = startClient(url, { durable: { consumer: "c" } });
    const second = startClient(url, { durable: { consumer: "c", retry: { baseMs: 1, maxMs: 5 } } });
    const [one, two]: [unknown[], unknown[]] = [[], []];
    first.target.addEventListener("n:", (event) => void one.push(event.detail.payload));
    await first.target.settled();
    second.target.addEventListener("n:", (event) => void two.push(event.detail.payload));
    await eventually("it is refused", () => second.errors.length > 0);
    expect(second.errors[0]).toEqual(code("CONSUMER_NAME_TAKEN"));
    log.append("n:", 1);
    await eventually("the first has it", () => log.offsets.get("c n:") === 1);
    await first.target.close();
    log.append("n:", 2);
    await eventually("the second takes over", () => two.length === 1);
    expect({ one, two }).toEqual({ one: [1], two: [2] });
  });

  it("refuses durable topics where the server has none, and unknown ones by its rule", async () => {
    const plain = await startServer();
    const { target, errors } = startClient(plain.url, { durable: { consumer: "c" } });
    target.addEventListener("n:", () => {});
    await eventually("it is refused", () => errors.length > 0);
    expect(errors[0]).toEqual(code("REFUSED"));
    expect(plain.target.stats().topics).toBe(0);
  });

  it("serves live and durable topics over one connection", async () => {
    const log = new MemoryLog();
    const { url, target: server } = await durableServer(log);
    const { target } = startClient(url, {
      durable: { consumer: "c", topics: (topic) => topic.startsWith("call") },
    });
    const seen: string[] = [];
    for (const topic of ["call:", "ui:"]) {
      target.addEventListener(topic, (event) => void seen.push(topic + event.detail.payload));
    }
    await target.settled();
    server.dispatchEvent(envelope("call:", "live"));
    server.dispatchEvent(envelope("ui:", "live"));
    log.append("ui:", "stored");
    log.append("call:", "stored");
    await eventually("both arrive", () => seen.length === 2);
    expect(seen.sort()).toEqual(["call:stored", "ui:live"]);
  });

  it("gives an event to a failing listener again, to the others once, and then gives it up", async () => {
    const log = new MemoryLog();
    const { url } = await durableServer(log);
    const dead: unknown[] = [];
    const { target, errors } = startClient(url, {
      durable: {
        consumer: "c",
        maxDeliveries: 3,
        retry: { baseMs: 1, maxMs: 2 },
        onDeadLetter: (topic, event, error) => dead.push([topic, event.offset, String(error)]),
      },
    });
    const calls: string[] = [];
    target.addEventListener("n:", async ({ detail: { payload } }) => {
      calls.push(`fails ${payload}`);
      if (payload === 1 || (payload === 2 && calls.length < 6)) throw new Error("not now");
    });
    target.addEventListener("n:", ({ detail: { payload } }) => void calls.push(`works ${payload}`));
    for (const n of [1, 2, 3]) log.append("n:", n);
    await eventually("all are confirmed", () => log.offsets.get("c n:") === 3);
    expect(calls).toEqual([
      "fails 1",
      "works 1",
      "fails 1",
      "fails 1",
      "fails 2",
      "works 2",
      "fails 2",
      "fails 3",
      "works 3",
    ]);
    expect(dead).toEqual([["n:", 1, "Error: not now"]]);
    expect(errors).toHaveLength(4);
  });

  it("with overflow wait, confirms what the loop has come back from", async () => {
    const log = new MemoryLog();
    const { url } = await durableServer(log);
    const start = () => {
      const { target } = startClient(url, { durable: { consumer: "c" } });
      return createPubSub<{ n: number }>({ eventTarget: target }).subscribe("n", "", {
        buffer: { overflow: "wait" },
      });
    };
    for (const n of [1, 2, 3]) log.append("n:", n);
    const first = start();
    await first.next();
    await first.next();
    await eventually("the first is confirmed", () => log.offsets.get("c n:") === 1);
    await first.return(); // the second was not finished
    const second = start();
    expect((await second.next()).value?.payload).toBe(2);
    expect((await second.next()).value?.payload).toBe(3);
    expect(log.offsets.get("c n:")).toBeLessThan(3);
    await second.return();
  });

  it("confirms the event of a once listener, and gives the next to who comes later", async () => {
    const log = new MemoryLog();
    const { url } = await durableServer(log);
    const { target } = startClient(url, { durable: { consumer: "c" } });
    const seen: unknown[] = [];
    const listener = (event: { detail: { payload: unknown } }): void =>
      void seen.push(event.detail.payload);
    for (const n of [1, 2]) log.append("n:", n);
    target.addEventListener("n:", listener, { once: true });
    await eventually("the first arrives", () => log.offsets.get("c n:") === 1);
    target.addEventListener("n:", listener, { once: true });
    await eventually("the second arrives", () => seen.length === 2);
    expect(seen).toEqual([1, 2]);
    await eventually("nothing watches the log any more", () => log.watchers === 0);
  });

  it("goes on after the source failed", async () => {
    const log = new MemoryLog();
    let failures = 2;
    const read = log.read.bind(log);
    log.read = async (topic, after, limit) => {
      if (failures-- > 0) throw new Error("disk on fire");
      return read(topic, after, limit);
    };
    const { url, errors } = await durableServer(log);
    const { target } = startClient(url, {
      durable: { consumer: "c", retry: { baseMs: 1, maxMs: 2 } },
    });
    const seen: unknown[] = [];
    target.addEventListener("n:", (event) => void seen.push(event.detail.payload));
    log.append("n:", 1);
    await eventually("it arrives", () => seen.length === 1);
    expect(errors.map(String)).toEqual(["Error: disk on fire", "Error: disk on fire"]);
  });
});
