import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";

/** The part of an event target the suite uses; structural, so that the suite knows no package. */
export interface TestedEventTarget {
  addEventListener(
    type: string,
    callback: TestedListener | null,
    options?: AddEventListenerOptions,
  ): void;
  dispatchEvent(event: CustomEvent): boolean;
  removeEventListener(type: string, callback: TestedListener | null): void;
  close(): unknown;
}

/** A listener as the suite registers it. */
export type TestedListener =
  | ((event: CustomEvent) => unknown)
  | { handleEvent(event: CustomEvent): unknown };

/** What a target promises beyond the interface; a missing flag means no. */
export interface EventTargetCapabilities {
  /** Listeners have been called when `dispatchEvent` returns. */
  readonly synchronous?: boolean;
  /** An event a listener failed on is delivered to it again. */
  readonly redelivers?: boolean;
  /** The pair has `transportListeners`: what the transport holds per topic can be seen. */
  readonly transport?: boolean;
  /** Topics in the test of many. Default 10,000. */
  readonly topics?: number;
  /** Characters in the large payload. Default 1,000,000. */
  readonly largePayload?: number;
}

/** A fresh pair of ends, connected. They may be one and the same target. */
export interface EventTargetPair {
  readonly publisher: TestedEventTarget;
  readonly subscriber: TestedEventTarget;
  /** Resolves when the publisher's side knows the listeners added and removed so far. */
  settle?(): Promise<void>;
  /** How many subscriptions of the topic the transport holds for the subscriber. */
  transportListeners?(topic: string): number | Promise<number>;
  /** Releases everything; the suite may have closed the targets before. */
  close(): unknown;
}

/** How the suite makes a target, and what it may expect of it. */
export interface EventTargetFactory {
  readonly name: string;
  readonly capabilities: EventTargetCapabilities;
  /** @param onError to be given to the target: it gets what listeners throw */
  create(onError: (error: unknown) => void): Promise<EventTargetPair>;
}

interface Fixture extends EventTargetPair {
  readonly errors: unknown[];
  settle(): Promise<void>;
  /** Listens and collects the payloads it gets. */
  collect(topic: string, options?: AddEventListenerOptions): unknown[];
  publish(topic: string, payload: unknown): boolean;
  /** Waits until everything published before has been delivered. */
  flush(): Promise<void>;
}

const envelope = (topic: string, payload: unknown): CustomEvent => {
  const colon = topic.indexOf(":");
  const detail = { type: topic.slice(0, colon), id: topic.slice(colon + 1), payload };
  return new CustomEvent(topic, { detail });
};

const JSON_SHAPES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0.5,
  1e300,
  Number.MAX_SAFE_INTEGER,
  "",
  "quotes \" ' ` \\ / \u0000 \u2028 \ud83d\ude00 ümlaut",
  [],
  [null, [[]], {}],
  {},
  { "": "", __proto__x: 1, "a.b": { "c:d": [1, "2", null] } },
  { type: "x", id: "y", payload: { type: "nested" } },
];

/**
 * The behaviour every event target must have, as tests. Call it at the top level of a test file.
 *
 * @example
 * ```ts
 * import { createInProcessEventTarget } from "@alkdev/pubsub";
 * import { describeEventTarget } from "@alkdev/testkit/event-target-suite";
 *
 * describeEventTarget({
 *   name: "in process",
 *   capabilities: { synchronous: true },
 *   create: async (onError) => {
 *     const target = createInProcessEventTarget<CustomEvent>({ onError });
 *     return { publisher: target, subscriber: target, close: () => target.close() };
 *   },
 * });
 * ```
 */
export function describeEventTarget(factory: EventTargetFactory): void {
  const { capabilities } = factory;

  const open = async (): Promise<Fixture> => {
    const errors: unknown[] = [];
    const pair = await factory.create((error) => errors.push(error));
    onTestFinished(async () => {
      await pair.close();
    });
    let flushes = 0;
    const fixture: Fixture = {
      ...pair,
      errors,
      settle: async () => pair.settle?.(),
      collect(topic, options) {
        const payloads: unknown[] = [];
        pair.subscriber.addEventListener(
          topic,
          (event) => void payloads.push(event.detail.payload),
          options,
        );
        return payloads;
      },
      publish: (topic, payload) => pair.publisher.dispatchEvent(envelope(topic, payload)),
      async flush() {
        const topic = `flush:${flushes++}`;
        const seen = fixture.collect(topic, { once: true });
        await fixture.settle();
        fixture.publish(topic, null);
        await eventually(
          `${factory.name} delivers what was published before`,
          () => seen.length > 0,
        );
      },
    };
    return fixture;
  };

  describe(`event target: ${factory.name} (M19)`, () => {
    it("delivers an event with its topic as type and its envelope as detail, and returns true", async () => {
      const { subscriber, publisher, settle } = await open();
      const events: CustomEvent[] = [];
      subscriber.addEventListener("a:1", (event) => void events.push(event));
      await settle();
      expect(publisher.dispatchEvent(envelope("a:1", { n: 1 }))).toBe(true);
      await eventually("the event arrives", () => events.length === 1);
      expect(events[0]?.type).toBe("a:1");
      expect(events[0]?.detail).toEqual({ type: "a", id: "1", payload: { n: 1 } });
    });

    if (capabilities.synchronous) {
      it("has called the listeners when dispatch returns", async () => {
        const { collect, publish, settle } = await open();
        const seen = collect("a:1");
        await settle();
        publish("a:1", 1);
        expect(seen).toEqual([1]);
      });
    }

    it("keeps the order of a topic's events", async () => {
      const { collect, publish, settle } = await open();
      const seen = collect("a:1");
      await settle();
      const sent = Array.from({ length: 500 }, (_, n) => n);
      for (const n of sent) publish("a:1", n);
      await eventually("all arrive", () => seen.length >= sent.length);
      expect(seen).toEqual(sent);
    });

    it("keeps topics apart, also those that look alike", async () => {
      const { collect, publish, settle, flush } = await open();
      const topics = [
        "a:1",
        "a:",
        "a:1:2",
        "a:10",
        "A:1",
        "a.b:1",
        "a*:*",
        "ä é:🙂",
        "a:>",
        "a b:c d",
      ];
      const seen = topics.map((topic) => collect(topic));
      await settle();
      for (const topic of topics) publish(topic, topic);
      publish("nobody:listens", 1);
      await flush();
      expect(seen).toEqual(topics.map((topic) => [topic]));
    });

    it("calls every listener of a topic in order, each callback once however often it is added", async () => {
      const { subscriber, publish, settle, flush } = await open();
      const calls: string[] = [];
      const first = (): void => void calls.push("function");
      const second = { handleEvent: () => void calls.push("object") };
      subscriber.addEventListener("a:1", first);
      subscriber.addEventListener("a:1", second);
      subscriber.addEventListener("a:1", first);
      subscriber.addEventListener("a:1", null);
      await settle();
      publish("a:1", 1);
      await flush();
      expect(calls).toEqual(["function", "object"]);
    });

    it("does not call what was removed, before or during the dispatch", async () => {
      const { subscriber, publish, settle, flush } = await open();
      const calls: string[] = [];
      const gone = (): void => void calls.push("gone");
      const removed = (): void => void calls.push("removed");
      const remover = (): void => {
        calls.push("remover");
        subscriber.removeEventListener("a:1", removed);
        subscriber.removeEventListener("a:1", remover);
      };
      subscriber.addEventListener("a:1", gone);
      subscriber.addEventListener("a:1", remover);
      subscriber.addEventListener("a:1", removed);
      subscriber.addEventListener("a:1", () => void calls.push("stays"));
      subscriber.removeEventListener("a:1", gone);
      subscriber.removeEventListener("a:1", () => {});
      subscriber.removeEventListener("never:added", gone);
      await settle();
      publish("a:1", 1);
      await flush();
      publish("a:1", 2);
      await flush();
      expect(calls).toEqual(["remover", "stays", "stays"]);
    });

    it("does not call a listener that was added during the dispatch", async () => {
      const { subscriber, publish, settle, flush } = await open();
      const calls: string[] = [];
      const late = (): void => void calls.push("late");
      subscriber.addEventListener("a:1", () => {
        calls.push("adder");
        subscriber.addEventListener("a:1", late);
      });
      await settle();
      publish("a:1", 1);
      await flush();
      expect(calls).toEqual(["adder"]);
      publish("a:1", 2);
      await flush();
      expect(calls).toEqual(["adder", "adder", "late"]);
    });

    it("stops at stopImmediatePropagation", async () => {
      const { subscriber, collect, publish, settle, flush } = await open();
      subscriber.addEventListener("a:1", (event) => event.stopImmediatePropagation());
      const seen = collect("a:1");
      await settle();
      publish("a:1", 1);
      await flush();
      expect(seen).toEqual([]);
    });

    it("honours once and signal", async () => {
      const { collect, publish, settle, flush } = await open();
      const controller = new AbortController();
      const once = collect("a:1", { once: true });
      const signal = collect("a:1", { signal: controller.signal });
      const aborted = collect("a:1", { signal: AbortSignal.abort() });
      const always = collect("a:1");
      await settle();
      publish("a:1", 1);
      await flush();
      controller.abort();
      publish("a:1", 2);
      await flush();
      expect({ once, signal, aborted, always }).toEqual({
        once: [1],
        signal: [1],
        aborted: [],
        always: [1, 2],
      });
    });

    it("keeps what a listener throws from the others, from the dispatcher and from the next event", async () => {
      const { subscriber, collect, publish, settle, flush, errors } = await open();
      let failures = 0;
      subscriber.addEventListener("a:1", () => {
        failures += 1;
        if (failures === 1) throw new Error("thrown by the listener");
      });
      subscriber.addEventListener(
        "a:1",
        async (event) => {
          if (event.detail.payload === 2) throw new Error("rejected by the listener");
        },
        { once: true },
      );
      const seen = collect("a:1");
      await settle();
      expect(publish("a:1", 1)).toBe(true);
      publish("a:1", 2);
      await flush();
      expect(seen).toEqual([1, 2]);
      expect(failures).toBe(capabilities.redelivers ? 3 : 2);
      expect(errors.map(String).join()).toContain("thrown by the listener");
    });

    if (capabilities.transport) {
      it("takes the transport's subscription with the first listener and gives it back with the last", async () => {
        const { subscriber, settle, transportListeners, publish, flush, collect } = await open();
        const count = async (): Promise<number> => (await transportListeners?.("a:1")) ?? -1;
        const first = (): void => {};
        const second = (): void => {};
        expect(await count()).toBe(0);
        subscriber.addEventListener("a:1", first);
        subscriber.addEventListener("a:1", second);
        await settle();
        expect(await count()).toBe(1);
        subscriber.removeEventListener("a:1", first);
        await settle();
        expect(await count()).toBe(1);
        subscriber.removeEventListener("a:1", second);
        await settle();
        await eventually("the subscription is released", async () => (await count()) === 0);
        const once = collect("a:1", { once: true });
        await settle();
        expect(await count()).toBe(1);
        publish("a:1", 1);
        await flush();
        expect(once).toEqual([1]);
        await eventually("once releases it too", async () => (await count()) === 0);
      });
    }

    it("delivers again after the last listener left and a new one came", async () => {
      const { subscriber, collect, publish, settle, flush } = await open();
      const listener = (): void => {};
      for (let round = 0; round < 5; round++) {
        subscriber.addEventListener("a:1", listener);
        subscriber.removeEventListener("a:1", listener);
      }
      const seen = collect("a:1");
      await settle();
      publish("a:1", 1);
      await flush();
      expect(seen).toEqual([1]);
    });

    it("carries every JSON shape unchanged", async () => {
      const { collect, publish, settle } = await open();
      const seen = collect("json:shapes");
      await settle();
      for (const shape of JSON_SHAPES) publish("json:shapes", shape);
      await eventually("all arrive", () => seen.length >= JSON_SHAPES.length);
      expect(seen).toEqual(JSON_SHAPES);
    });

    it("carries a payload of 1 MB", async () => {
      const { collect, publish, settle } = await open();
      const seen = collect("large:1");
      await settle();
      const text = "x".repeat(capabilities.largePayload ?? 1_000_000);
      publish("large:1", text);
      await eventually("it arrives", () => seen.length === 1, 10_000);
      expect(seen[0] === text).toBe(true);
    });

    it("serves 10,000 topics, each to its own listener", { timeout: 30_000 }, async () => {
      const { collect, publish, settle } = await open();
      const count = capabilities.topics ?? 10_000;
      const seen = Array.from({ length: count }, (_, n) => collect(`many:${n}`));
      await settle();
      for (let n = 0; n < count; n++) publish(`many:${n}`, n);
      await eventually("all arrive", () => seen.every((payloads) => payloads.length > 0), 20_000);
      expect(seen.every((payloads, n) => payloads.length === 1 && payloads[0] === n)).toBe(true);
    });

    it("refuses listeners and events after close, and closes twice without complaint", async () => {
      const { publisher, subscriber, collect, publish, settle } = await open();
      const seen = collect("a:1");
      await settle();
      await subscriber.close();
      await subscriber.close();
      expect(() => subscriber.addEventListener("a:1", () => {})).toThrow(
        expect.objectContaining({ code: "CLOSED" }),
      );
      expect(() => subscriber.dispatchEvent(envelope("a:1", 1))).toThrow(
        expect.objectContaining({ code: "CLOSED" }),
      );
      subscriber.removeEventListener("a:1", () => {});
      if (publisher !== subscriber) {
        publish("a:1", "to nobody");
        await publisher.close();
        expect(() => publish("a:1", 1)).toThrow(expect.objectContaining({ code: "CLOSED" }));
      }
      expect(seen).toEqual([]);
    });
  });
}
