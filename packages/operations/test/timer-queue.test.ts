import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Timer, TimerQueue } from "../src/protocol/timer-queue.ts";

describe("a queue of timers (M40)", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("calls each timer once, in order, when its time has come, with one timer of the platform", () => {
    const step = fc.oneof(
      fc.record({ add: fc.integer({ min: 0, max: 50 }) }),
      fc.record({ remove: fc.nat() }),
      fc.record({ wait: fc.integer({ min: 0, max: 20 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new TimerQueue();
        const waiting = new Map<Timer, number>();
        const everything: Timer[] = [];
        const due = (): number[] =>
          [...waiting.values()].filter((at) => at <= queue.now()).sort((a, b) => a - b);
        for (const each of steps) {
          if ("add" in each) {
            const at = queue.now() + each.add;
            const timer = queue.add(at, () => {
              // what is due comes in order
              expect(at).toBe(due()[0]);
              waiting.delete(timer);
            });
            waiting.set(timer, at);
            everything.push(timer);
          } else if ("remove" in each) {
            const timer = everything[each.remove % (everything.length || 1)];
            if (timer === undefined) continue;
            queue.remove(timer);
            queue.remove(timer);
            waiting.delete(timer);
          } else vi.advanceTimersByTime(each.wait);
          expect(queue.size).toBe(waiting.size);
          expect(vi.getTimerCount()).toBe(queue.size > 0 ? 1 : 0);
        }
        vi.advanceTimersByTime(100);
        expect(waiting.size).toBe(0);
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it("waits longer than the platform's timers can", () => {
    const queue = new TimerQueue();
    let called = 0;
    queue.add(queue.now() + 2 ** 32, () => (called += 1));
    vi.advanceTimersByTime(2 ** 32 - 1);
    expect(called).toBe(0);
    vi.advanceTimersByTime(1);
    expect(called).toBe(1);
  });

  it("takes timers that are added by a timer", () => {
    const queue = new TimerQueue();
    const seen: number[] = [];
    queue.add(10, () => {
      seen.push(1);
      queue.add(20, () => seen.push(3));
      queue.add(10, () => seen.push(2));
    });
    vi.advanceTimersByTime(100);
    expect(seen).toEqual([1, 2, 3]);
  });
});
