import { Worker } from "node:worker_threads";
import { pipe, toArray } from "@alkdev/pubsub";
import { createWorkerHostEventTarget } from "@alkdev/pubsub/worker";
import { eventually } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { type CallerOptions, createCaller } from "../src/index.ts";
import { ada, addSpec, code, countSpec } from "./fixtures.ts";
import { workSpec } from "./specs.ts";

/** A caller of a thread that serves, once it does. */
async function threadCaller(options: Partial<CallerOptions> = {}) {
  const worker = new Worker(new URL("./worker-calls.ts", import.meta.url), {
    execArgv: ["--conditions=@alkdev/source"],
  });
  const eventTarget = createWorkerHostEventTarget(worker);
  const caller = createCaller({ eventTarget, ...options });
  onTestFinished(async () => {
    caller.close();
    await eventTarget.close();
    await worker.terminate();
  });
  // what is sent before the thread listens is gone
  const ready = () =>
    caller.call(addSpec, { a: 1, b: 1 }, { identity: ada, timeoutMs: 100 }).catch(() => null);
  await eventually("the thread serves", ready, 20_000);
  return { caller, worker };
}

describe("calls of a worker thread (M40)", () => {
  it.each([
    ["with topics of their own", {}],
    ["with one set of topics for all", { replyTo: "main" }],
  ])("are answered %s", async (_, options) => {
    const { caller } = await threadCaller(options);
    const call = { identity: ada };
    const sums = await Promise.all(
      Array.from({ length: 200 }, (_, n) => caller.call(addSpec, { a: n, b: n }, call)),
    );
    expect(sums.map(({ data }) => data)).toEqual(Array.from({ length: 200 }, (_, n) => n * 2));
    const answers = caller.subscribe(countSpec, { to: 2_000 }, call);
    expect(await pipe(answers, toArray())).toHaveLength(2_000);
    await expect(caller.call("math.nothing", {}, call)).rejects.toThrow(
      code("OPERATION_NOT_FOUND"),
    );
    expect(caller.getPendingCount()).toBe(0);
  });

  it("end by silence when the thread ends in the middle", async () => {
    const { caller } = await threadCaller();
    const call = caller.call(workSpec, null, {
      identity: { id: "ada", scopes: ["*"] },
      idleTimeoutMs: 200,
    });
    await expect(call).rejects.toMatchObject({ code: "TIMEOUT", details: { reason: "silence" } });
  });
});
