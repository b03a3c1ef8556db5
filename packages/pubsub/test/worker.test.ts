import { MessageChannel, Worker } from "node:worker_threads";
import { eventually } from "@alkdev/testkit";
import { describeEventTarget, type TestedEventTarget } from "@alkdev/testkit/event-target-suite";
import { describe, expect, it, onTestFinished } from "vitest";
import { createPubSub } from "../src/index.ts";
import { createWorkerHostEventTarget, createWorkerThreadEventTarget } from "../src/worker.ts";

describeEventTarget({
  name: "worker threads",
  capabilities: {},
  create: async (onError) => {
    const { port1, port2 } = new MessageChannel();
    const host = createWorkerHostEventTarget(port1);
    const thread = createWorkerThreadEventTarget(port2, { onError });
    return {
      publisher: host as unknown as TestedEventTarget,
      subscriber: thread as unknown as TestedEventTarget,
      settle: () => thread.settled(),
      close: async () => {
        await Promise.all([host.close(), thread.close()]);
        port1.close();
      },
    };
  },
});

describe("worker targets (M23)", () => {
  it("refuses to be the thread's side outside of one", () => {
    expect(() => createWorkerThreadEventTarget(null)).toThrow("not a worker thread");
  });

  it("carries events to a thread and back, and lets the thread end when closed", async () => {
    const worker = new Worker(new URL("./worker-thread.ts", import.meta.url), {
      execArgv: ["--conditions=@alkdev/source"],
    });
    onTestFinished(async () => void (await worker.terminate()));
    const target = createWorkerHostEventTarget(worker);
    interface Events {
      number: number;
      double: number;
    }
    const pubsub = createPubSub<Events>({ eventTarget: target });
    const doubles = pubsub.subscribe("double", "");
    let exited = false;
    worker.once("exit", () => {
      exited = true;
    });
    const crossing: unknown[] = [];
    worker.on("message", (message) => crossing.push(message.topic));
    await target.settled();
    await eventually("the thread listens", () => {
      pubsub.publish("number", "", 21);
      return crossing.includes("double:");
    });
    expect((await doubles.next()).value).toEqual({ type: "double", id: "", payload: 42 });
    pubsub.publish("number", "", -1);
    await eventually("the thread ends", () => exited);
    expect(crossing).not.toContain("unheard:");
    pubsub.publish("number", "", 1);
    await expect(target.settled()).rejects.toThrow("ended");
  });

  it("refuses what cannot be cloned", async () => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    const host = createWorkerHostEventTarget(port1);
    const thread = createWorkerThreadEventTarget(port2);
    thread.addEventListener("a:", () => {});
    await thread.settled();
    const event = new CustomEvent("a:", { detail: { type: "a", id: "", payload: () => 1 } });
    expect(() => host.dispatchEvent(event)).toThrow(
      expect.objectContaining({ code: "INVALID_PAYLOAD" }),
    );
  });

  it("tells a thread that comes later what the host listens to, and forgets one that left", async () => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    const host = createWorkerHostEventTarget(port1);
    const seen: unknown[] = [];
    host.addEventListener("a:", (event) => void seen.push(event.detail.payload));
    for (const n of [1, 2]) {
      const thread = createWorkerThreadEventTarget(port2);
      await thread.settled();
      thread.dispatchEvent(new CustomEvent("a:", { detail: { type: "a", id: "", payload: n } }));
      await eventually("it arrives", () => seen.length === n);
      const settling = expect(thread.settled()).rejects.toThrow("closed");
      await thread.close();
      await settling;
    }
    expect(seen).toEqual([1, 2]);
  });
});
