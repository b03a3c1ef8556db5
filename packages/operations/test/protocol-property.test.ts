// Random programs of calls, answers, aborts, time and a bad transport, on a clock that the test moves: every
// call settles exactly once, and nothing is left behind.
import { createInProcessEventTarget, type EnvelopeEvent } from "@alkdev/pubsub";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CallError, createCaller, createCallHandler } from "../src/index.ts";
import { addSpec, countSpec, quietRegistry } from "./fixtures.ts";
import { deferred, watched, workSpec } from "./protocol-fixtures.ts";

const RUNS = Number(process.env["ALKDEV_PROPERTY_RUNS"] ?? 300);

/** What happens to an event on its way. */
const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: "now" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "lost" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "twice" as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("late" as const), ms: fc.nat(300) }) },
);

const step = fc.oneof(
  fc.record({
    do: fc.constant("call" as const),
    timeoutMs: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined }),
    sameId: fc.boolean(),
  }),
  fc.record({
    do: fc.constant("subscribe" as const),
    to: fc.nat(12),
    window: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ do: fc.constant("finish" as const), which: fc.nat(), fails: fc.boolean() }),
  fc.record({ do: fc.constant("abort" as const), which: fc.nat() }),
  fc.record({ do: fc.constant("leave" as const), which: fc.nat() }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 400 }) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Fate = typeof fate extends fc.Arbitrary<infer T> ? T : never;

/** A transport that loses, doubles and delays events as it is told, and calls no one inside a dispatch. */
function badTransport(fates: readonly Fate[]) {
  const inner = createInProcessEventTarget();
  let sent = 0;
  const deliver = (event: EnvelopeEvent, ms: number): void => {
    setTimeout(() => inner.dispatchEvent(event), ms);
  };
  return watched({
    addEventListener: (...args) => inner.addEventListener(...args),
    removeEventListener: (...args) => inner.removeEventListener(...args),
    dispatchEvent(event) {
      const found = fates.length === 0 ? undefined : fates[sent++ % fates.length];
      if (found?.kind === "lost") return true;
      deliver(event, found?.kind === "late" ? found.ms : 0);
      if (found?.kind === "twice") deliver(event, 1);
      return true;
    },
  });
}

function world(fates: readonly Fate[]) {
  const wire = badTransport(fates);
  const { registry } = quietRegistry();
  const working: ReturnType<typeof deferred<void>>[] = [];
  const runs = new Map<string, number>();
  registry.register({ ...addSpec, handler: ({ a, b }) => a + b });
  registry.register({
    ...workSpec,
    handler: async (_, { requestId }) => {
      runs.set(requestId, (runs.get(requestId) ?? 0) + 1);
      const work = deferred();
      working.push(work);
      await work.promise;
      return requestId;
    },
  });
  registry.register({
    ...countSpec,
    handler: async function* ({ to }) {
      for (let n = 1; n <= to; n += 1) yield n;
    },
  });
  const quiet = { eventTarget: wire.eventTarget, onError: () => {} };
  const handler = createCallHandler({
    registry,
    ...quiet,
    trustIdentity: true,
  });
  const caller = createCaller({ ...quiet, idleTimeoutMs: 300 });
  return { ...wire, working, runs, handler, caller };
}

async function play(steps: readonly Step[], fates: readonly Fate[]): Promise<void> {
  const { caller, handler, working, runs, listeners, ofType } = world(fates);
  const identity = { id: "ada", scopes: ["*"] };
  const settled: number[] = [];
  const aborts: AbortController[] = [];
  const loops: AsyncIterator<unknown>[] = [];
  const all: Promise<void>[] = [];
  let ids = 0;

  /** Notes how often something settles. */
  const watch = (promise: Promise<unknown>): void => {
    const index = settled.push(0) - 1;
    const count = (): void => {
      settled[index] = (settled[index] as number) + 1;
    };
    all.push(
      promise.then(count, (error: unknown) => {
        if (!(error instanceof Error && "code" in error)) throw error;
        count();
      }),
    );
  };
  const read = async (answers: AsyncIterable<{ data: unknown }>): Promise<void> => {
    let last = 0;
    // whatever the transport does, what arrives is in order and without a gap
    for await (const { data } of answers) expect(data).toBe(++last);
  };

  for (const each of steps) {
    if (each.do === "call") {
      const signal = aborts[aborts.push(new AbortController()) - 1]?.signal as AbortSignal;
      const requestId = `r${each.sameId && ids > 0 ? ids : ++ids}`;
      const { timeoutMs } = each;
      const options = { requestId, signal, identity, ...(timeoutMs ? { timeoutMs } : {}) };
      watch(caller.call(workSpec, 1, options));
    } else if (each.do === "subscribe") {
      const signal = aborts[aborts.push(new AbortController()) - 1]?.signal as AbortSignal;
      const answers = caller.subscribe(
        countSpec,
        { to: each.to },
        { window: each.window, signal, identity },
      );
      loops.push(answers);
      watch(read(answers));
    } else if (each.do === "finish") {
      const work = working.splice(each.which % (working.length || 1), 1)[0];
      if (each.fails) work?.reject(new CallError("NO", "no"));
      else work?.resolve();
    } else if (each.do === "abort") aborts[each.which % (aborts.length || 1)]?.abort();
    else if (each.do === "leave") await loops[each.which % (loops.length || 1)]?.return?.();
    else await vi.advanceTimersByTimeAsync(each.ms);
  }
  // nobody finishes anything any more, and nobody takes anything back
  await vi.advanceTimersByTimeAsync(60_000);
  await Promise.all(all);

  expect(settled.every((times) => times === 1)).toBe(true);
  expect(caller.getPendingCount()).toBe(0);
  // by their deadlines, or because their caller gives no sign of life
  expect(handler.stats()).toMatchObject({ calls: 0, subscriptions: 0 });
  expect(Math.max(0, ...runs.values())).toBeLessThanOrEqual(1);
  // taken back at most once for each time it was sent: an id may be used again once it has settled
  const takenBack = ofType("call.aborted").filter(({ id }) => id === "");
  const sent = Map.groupBy(ofType("call.requested"), ({ payload }) => payload["requestId"]);
  for (const [requestId, aborts] of Map.groupBy(takenBack, (event) => event.payload["requestId"])) {
    expect(aborts.length).toBeLessThanOrEqual(sent.get(requestId)?.length ?? 0);
  }

  caller.close();
  const closed = handler.close({ drainMs: 0 });
  await vi.advanceTimersByTimeAsync(1_000);
  await closed;
  expect(handler.stats()).toMatchObject({ calls: 0, subscriptions: 0 });
  expect([...listeners]).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
}

describe("the call protocol under anything (M40)", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("settles every call exactly once and leaves nothing behind", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.oneof(fc.constant([]), fc.array(fate, { maxLength: 20 })),
        play,
      ),
      { numRuns: RUNS },
    );
  });
});
