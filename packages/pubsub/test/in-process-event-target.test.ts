import { createPubSub as createYogaPubSub } from "@graphql-yoga/subscription";
import { describe, expect, it, vi } from "vitest";
import { createInProcessEventTarget, createPubSub } from "../src/index.ts";

const event = (topic: string, detail: unknown = null) => new CustomEvent(topic, { detail });

describe("in-process event target (M19)", () => {
  it("refuses listeners and events after close, twice closed or not", () => {
    const target = createInProcessEventTarget();
    target.close();
    target.close();
    expect(() => target.dispatchEvent(event("a") as never)).toThrow(
      expect.objectContaining({ code: "CLOSED" }),
    );
    expect(() => target.addEventListener("a", () => {})).toThrow(
      expect.objectContaining({ code: "CLOSED" }),
    );
    target.removeEventListener("a", () => {});
  });

  it("behaves as the platform's EventTarget for the same calls", () => {
    const run = (target: EventTarget): string[] => {
      const log: string[] = [];
      const first = () => log.push("first");
      const second = (e: Event) => {
        log.push("second");
        e.stopImmediatePropagation();
      };
      const remover = () => {
        log.push("remover");
        target.removeEventListener("b", removed);
      };
      const removed = () => log.push("removed");
      const object = { handleEvent: () => log.push("object") };
      const controller = new AbortController();
      target.addEventListener("a", first);
      target.addEventListener("a", first);
      target.addEventListener("a", object, { once: true });
      target.addEventListener("a", () => log.push("signal"), { signal: controller.signal });
      target.addEventListener("a", () => log.push("never"), { signal: AbortSignal.abort() });
      log.push(String(target.dispatchEvent(new CustomEvent("a"))));
      controller.abort();
      target.dispatchEvent(new CustomEvent("a"));
      target.addEventListener("b", remover);
      target.addEventListener("b", removed);
      target.dispatchEvent(new CustomEvent("b"));
      target.addEventListener("c", second);
      target.addEventListener("c", () => log.push("after stop"));
      target.dispatchEvent(new CustomEvent("c"));
      return log;
    };
    expect(run(createInProcessEventTarget() as unknown as EventTarget)).toEqual(
      run(new EventTarget()),
    );
  });

  it("ignores null", () => {
    const target = createInProcessEventTarget();
    target.addEventListener("a", null);
    target.removeEventListener("a", null);
    expect(target.dispatchEvent(event("a") as never)).toBe(true);
  });

  it("does not call listeners added during a dispatch in it, as the DOM says", () => {
    const target = createInProcessEventTarget();
    const log: string[] = [];
    const late = () => log.push("late");
    const again = () => {
      log.push("again");
      target.removeEventListener("a", again);
      target.addEventListener("a", again);
      target.addEventListener("a", late);
    };
    target.addEventListener("a", again);
    target.dispatchEvent(event("a") as never);
    expect(log).toEqual(["again"]);
    target.dispatchEvent(event("a") as never);
    expect(log).toEqual(["again", "again", "late"]);
  });

  it("gives what a listener throws or rejects with to onError, and calls the others", async () => {
    const onError = vi.fn();
    const target = createInProcessEventTarget({ onError });
    const other = vi.fn();
    const thrown = new Error("thrown");
    const rejected = new Error("rejected");
    target.addEventListener("a", () => {
      throw thrown;
    });
    target.addEventListener("a", async () => {
      throw rejected;
    });
    target.addEventListener("a", other);
    expect(target.dispatchEvent(event("a") as never)).toBe(true);
    expect(other).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(onError).toHaveBeenCalledTimes(2));
    expect(onError.mock.calls).toEqual([
      [thrown, 'a listener of "a"'],
      [rejected, 'a listener of "a"'],
    ]);
  });

  it("lets go of the signal it was given when the listener is removed", () => {
    const target = createInProcessEventTarget();
    const controller = new AbortController();
    const remove = vi.spyOn(controller.signal, "removeEventListener");
    const listener = (): void => {};
    target.addEventListener("a", listener, { signal: controller.signal });
    target.removeEventListener("a", listener);
    expect(remove).toHaveBeenCalledOnce();
  });

  it("calls a listener with the target as this, and the very object that was published", () => {
    const target = createInProcessEventTarget();
    const detail = { type: "a", id: "1", payload: { deep: [1] } };
    const seen: unknown[] = [];
    target.addEventListener("a:1", function (this: unknown, e) {
      seen.push(this, e.detail);
    });
    target.dispatchEvent(new CustomEvent("a:1", { detail }));
    expect(seen[0]).toBe(target);
    expect(seen[1]).toBe(detail);
  });

  it("keeps 10,000 listeners of one topic apart, added and removed in any order", () => {
    const target = createInProcessEventTarget();
    let calls = 0;
    const listeners = Array.from({ length: 10_000 }, () => () => {
      calls += 1;
    });
    for (const listener of listeners) target.addEventListener("a", listener);
    for (const listener of listeners.slice(0, 5_000)) target.removeEventListener("a", listener);
    target.dispatchEvent(event("a") as never);
    expect(calls).toBe(5_000);
  });

  it("carries graphql-yoga's own pub/sub", async () => {
    const target = createInProcessEventTarget<CustomEvent>();
    const yoga = createYogaPubSub<{ greeting: [id: string, payload: { text: string }] }>({
      eventTarget: target,
    });
    const greetings = yoga.subscribe("greeting", "1");
    const next = greetings.next();
    yoga.publish("greeting", "1", { text: "hello" });
    expect((await next).value).toEqual({ text: "hello" });
    await greetings.return();
  });

  it("is not needed: a bare EventTarget carries our pub/sub", async () => {
    const pubsub = createPubSub<{ a: number }>({ eventTarget: new EventTarget() });
    const events = pubsub.subscribe("a", "1");
    pubsub.publish("a", "1", 42);
    expect((await events.next()).value).toEqual({ type: "a", id: "1", payload: 42 });
  });
});
