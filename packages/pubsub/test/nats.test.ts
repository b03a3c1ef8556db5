import { randomBytes } from "node:crypto";
import { eventually } from "@alkdev/testkit";
import { describeEventTarget, type TestedEventTarget } from "@alkdev/testkit/event-target-suite";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { createPubSub } from "../src/index.ts";
import {
  createJetStreamEventTarget,
  createNatsEventTarget,
  type JetStreamEventTargetOptions,
} from "../src/nats.ts";
import { decodeToken, encodeToken } from "../src/targets/nats-subject.ts";
import { NATS_URL, natsServer, ownServer, reachable } from "./server-process.ts";
import { code, envelope } from "./websocket-fixtures.ts";

const available = await reachable(NATS_URL);
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
const fresh = () => `test-${randomBytes(6).toString("hex")}`;

async function connection(url = NATS_URL): Promise<NatsConnection> {
  const client = await connect({
    servers: url.replace("nats://", ""),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 20,
  });
  onTestFinished(() => client.close());
  return client;
}

/** A fresh stream, removed with the test. */
async function jetStreamTarget(options: Partial<JetStreamEventTargetOptions> = {}) {
  const client = options.connection ?? (await connection());
  const stream = options.stream ?? fresh();
  const errors: unknown[] = [];
  const target = createJetStreamEventTarget({
    connection: client,
    stream,
    consumer: "c",
    retry: { baseMs: 1, maxMs: 5 },
    onError: (error) => errors.push(error),
    ...options,
  });
  onTestFinished(async () => {
    await target.close();
    if (options.stream !== undefined) return;
    const manager = await jetstreamManager(client);
    await manager.streams.delete(stream).catch(() => {});
    await manager.streams.delete(`${stream}-dead`).catch(() => {});
  });
  return { client, stream, target, errors };
}

const unconfirmed = async (client: NatsConnection, stream: string): Promise<number> =>
  (await (await jetstreamManager(client)).consumers.info(stream, "c")).num_ack_pending;

it("M23: every topic has a NATS subject of its own", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (topic) => {
      const token = encodeToken(topic);
      expect(token).toMatch(/^[A-Za-z0-9_:%-]+$/);
      expect(decodeToken(token)).toBe(topic);
    }),
  );
});

describe.skipIf(!available)(`with NATS at ${NATS_URL}`, () => {
  describeEventTarget({
    name: "NATS",
    capabilities: {},
    create: async (onError) => {
      const prefix = fresh();
      const publisher = createNatsEventTarget({ connection: await connection(), prefix });
      const subscriber = createNatsEventTarget({
        connection: await connection(),
        prefix,
        onError,
      });
      return {
        publisher: publisher as unknown as TestedEventTarget,
        subscriber: subscriber as unknown as TestedEventTarget,
        settle: () => subscriber.settled(),
        close: () => Promise.all([publisher.close(), subscriber.close()]),
      };
    },
  });

  describeEventTarget({
    name: "JetStream",
    capabilities: { redelivers: true, topics: 2_000 },
    create: async (onError) => {
      const { target, stream } = await jetStreamTarget({ onError });
      const publisher = (await jetStreamTarget({ stream, consumer: "publisher" })).target;
      return {
        publisher: publisher as unknown as TestedEventTarget,
        subscriber: target as unknown as TestedEventTarget,
        settle: () => target.settled(),
        close: () => target.close(),
      };
    },
  });

  describe("NATS target (M23)", () => {
    it("refuses prefixes that are no subject and payloads the server would refuse", async () => {
      const client = await connection();
      for (const prefix of ["", ".", "a..b", "a b", "a.*", "a.>"]) {
        expect(() => createNatsEventTarget({ connection: client, prefix })).toThrow(
          code("INVALID_ARGUMENT") as never,
        );
      }
      const target = createNatsEventTarget({ connection: client, prefix: fresh() });
      expect(() => target.dispatchEvent(envelope("a:", "ü".repeat(600_000)))).toThrow(
        code("PAYLOAD_TOO_LARGE") as never,
      );
      await target.close();
    });

    it("says so when the connection is closed for good", async () => {
      const client = await connection();
      const errors: unknown[] = [];
      const target = createNatsEventTarget({
        connection: client,
        onError: (error) => errors.push(error),
      });
      await client.close();
      expect(() => target.dispatchEvent(envelope("a:", 1))).toThrow(code("TRANSPORT") as never);
      await eventually("it is reported", () => errors.length === 1);
      expect(errors[0]).toEqual(code("TRANSPORT"));
      await target.close();
    });
  });

  describe("JetStream target (M23)", () => {
    it("refuses a consumer that this process already has, until it is closed", async () => {
      const { target, stream } = await jetStreamTarget();
      await expect(jetStreamTarget({ stream })).rejects.toEqual(code("CONSUMER_NAME_TAKEN"));
      await target.close();
      await jetStreamTarget({ stream });
    });

    it("gives history to a new consumer, or only what comes", async () => {
      const { target, stream } = await jetStreamTarget();
      target.dispatchEvent(envelope("n:", 1));
      await target.settled();
      const now = (await jetStreamTarget({ stream, consumer: "hub:main:now", from: "now" })).target;
      const [all, later]: [unknown[], unknown[]] = [[], []];
      target.addEventListener("n:", (event) => void all.push(event.detail.payload));
      now.addEventListener("n:", (event) => void later.push(event.detail.payload));
      await Promise.all([target.settled(), now.settled()]);
      target.dispatchEvent(envelope("n:", 2));
      await eventually("all arrive", () => all.length === 2 && later.length === 1);
      expect({ all, later }).toEqual({ all: [1, 2], later: [2] });
    });

    it("confirms when the listeners have settled, and gives again what they had not", async () => {
      const { target, stream, client } = await jetStreamTarget();
      const pubsub = createPubSub<{ n: number }>({ eventTarget: target });
      const first = pubsub.subscribe("n", "", { buffer: { overflow: "wait" } });
      for (const n of [1, 2, 3]) pubsub.publish("n", "", n);
      expect((await first.next()).value?.payload).toBe(1);
      expect((await first.next()).value?.payload).toBe(2);
      await first.return();
      await target.close();
      const again = (await jetStreamTarget({ stream, connection: client })).target;
      const seen: unknown[] = [];
      again.addEventListener("n:", (event) => void seen.push(event.detail.payload));
      await eventually("the rest arrives", () => seen.length >= 2);
      expect(seen.sort()).toEqual([2, 3]);
      await eventually("all is confirmed", async () => (await unconfirmed(client, stream)) === 0);
    });

    it("does not give an event out again while a listener takes long, nor those behind it", async () => {
      const { target } = await jetStreamTarget({ ackWaitMs: 100 });
      const seen: unknown[] = [];
      target.addEventListener("n:", async (event) => {
        seen.push(event.detail.payload);
        if (event.detail.payload === 1) await new Promise((resolve) => setTimeout(resolve, 400));
      });
      for (const n of [1, 2, 3]) target.dispatchEvent(envelope("n:", n));
      await eventually("all are done", () => seen.length >= 3);
      expect(seen).toEqual([1, 2, 3]);
    });

    it("buries what fails too often and what is no event", async () => {
      const { target, stream, client, errors } = await jetStreamTarget({ maxDeliveries: 3 });
      target.dispatchEvent(envelope("n:", "fails"));
      await target.settled();
      client.publish(`${stream}.n:`, "not json");
      target.dispatchEvent(envelope("n:", "works"));
      const seen: unknown[] = [];
      target.addEventListener("n:", (event) => {
        seen.push(event.detail.payload);
        if (event.detail.payload === "fails") throw new Error("never works");
      });
      await eventually("all are dealt with", () => seen.includes("works"));
      await eventually("all is confirmed", async () => (await unconfirmed(client, stream)) === 0);
      expect(seen).toEqual(["fails", "fails", "fails", "works"]);
      const manager = await jetstreamManager(client);
      expect((await manager.streams.info(`${stream}-dead`)).state.messages).toBe(2);
      const letter = await manager.streams.getMessage(`${stream}-dead`, { seq: 1 });
      expect(letter?.json()).toMatchObject({ error: "Error: never works", consumer: "c" });
      expect(errors.some((error) => String(error).includes("given up after 3"))).toBe(true);
    });
  });
});

describe.skipIf(natsServer === undefined)("with a NATS server that is killed (M23)", () => {
  const start = () =>
    ownServer(natsServer ?? "", (port, folder) => [
      ...["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", folder],
    ]);

  it("core takes up its subscriptions again", { timeout: 15_000 }, async () => {
    const server = await start();
    const client = await connection(`127.0.0.1:${server.port}`);
    const target = createNatsEventTarget({ connection: client });
    onTestFinished(() => target.close());
    const seen: unknown[] = [];
    target.addEventListener("a:", (event) => void seen.push(event.detail.payload));
    await target.settled();
    target.dispatchEvent(envelope("a:", "before"));
    await eventually("it works", () => seen.length === 1);
    await server.kill();
    await server.start();
    await eventually("it is heard again", () => {
      target.dispatchEvent(envelope("a:", "after"));
      return seen.includes("after");
    });
  });

  it("JetStream loses nothing", { timeout: 30_000 }, async () => {
    const server = await start();
    const client = await connection(`127.0.0.1:${server.port}`);
    const { target } = await jetStreamTarget({
      connection: client,
      stream: "events",
      ackWaitMs: 1_000,
    });
    const seen: number[] = [];
    target.addEventListener("n:", async (event) => {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(event.detail.payload as number);
    });
    for (const n of numbers(0, 300)) {
      target.dispatchEvent(envelope("n:", n));
      if (n % 100 === 50) {
        await eventually("some arrived", () => seen.length > n - 40, 15_000);
        await server.kill();
        await server.start();
      }
    }
    await eventually("all have arrived", () => new Set(seen).size === 300, 20_000);
    expect([...new Set(seen)].sort((a, b) => a - b)).toEqual(numbers(0, 300));
  });
});
