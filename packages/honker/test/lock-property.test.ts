import { type Lock, open } from "@alkdev/honker";
import { engineModes, FakeClock } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const runs = Number(process.env.ALKDEV_PROPERTY_RUNS ?? 100);

type Step =
  | { kind: "take"; name: string; owner: string; ttlMs: number }
  | { kind: "heartbeat" | "release"; lock: number; ttlMs: number }
  | { kind: "advance"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("take" as const),
      name: fc.constantFrom("x", "y"),
      owner: fc.constantFrom("a", "b", "c"),
      ttlMs: fc.integer({ min: 1, max: 3_000 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("heartbeat" as const, "release" as const),
      lock: fc.nat(20),
      ttlMs: fc.integer({ min: 1, max: 3_000 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("advance" as const),
      ms: fc.oneof(fc.integer({ min: 0, max: 2_500 }), fc.integer({ min: -500, max: 0 })),
    }),
  },
);

/** What a lock is: at most one holder per name, until a time, each with a larger token. */
class Model {
  readonly holders = new Map<string, { owner: string; id: number; until: number }>();
  #ids = 0;

  holder(name: string, now: number): { owner: string; id: number } | undefined {
    const holder = this.holders.get(name);
    return holder !== undefined && holder.until > now ? holder : undefined;
  }

  take(name: string, owner: string, until: number, now: number): number | undefined {
    const holder = this.holder(name, now);
    if (holder !== undefined && holder.owner !== owner) return undefined;
    this.holders.set(name, { owner, id: ++this.#ids, until });
    return this.#ids;
  }
}

describe.each(engineModes)("M8: locks against a model $mode", ({ extension }) => {
  it("agree with it after every step", () => {
    const clock = new FakeClock();
    const db = open(":memory:", { extension, clock });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        db.execute("DELETE FROM _honker_locks");
        const model = new Model();
        const locks: { lock: Lock; id: number }[] = [];
        let lastToken = 0;
        for (const action of steps) {
          const now = clock.now();
          if (action.kind === "advance") {
            clock.advance(action.ms);
          } else if (action.kind === "take") {
            const { name, owner, ttlMs } = action;
            const id = model.take(name, owner, now + ttlMs, now);
            const lock = db.tryLock(name, owner, ttlMs / 1_000);
            expect(lock === null).toBe(id === undefined);
            if (lock === null || id === undefined) continue;
            expect(lock.token).toBeGreaterThan(lastToken);
            lastToken = lock.token;
            locks.push({ lock, id });
          } else {
            const chosen = locks[action.lock % Math.max(locks.length, 1)];
            if (chosen === undefined) continue;
            const { lock, id } = chosen;
            const held = model.holder(lock.name, now)?.id === id;
            if (action.kind === "heartbeat") {
              expect(lock.heartbeat(action.ttlMs / 1_000)).toBe(held);
              const holder = model.holders.get(lock.name);
              if (held && holder !== undefined) holder.until = now + action.ttlMs;
            } else {
              expect(lock.release()).toBe(held);
              if (model.holders.get(lock.name)?.id === id) model.holders.delete(lock.name);
            }
          }
          for (const { lock, id } of locks) {
            expect(lock.held).toBe(model.holder(lock.name, clock.now())?.id === id);
          }
          const shown = db.locks().map(({ name, owner }) => `${name}:${owner}`);
          const expected = ["x", "y"].flatMap((name) => {
            const holder = model.holder(name, clock.now());
            return holder === undefined ? [] : [`${name}:${holder.owner}`];
          });
          expect(shown).toEqual(expected);
        }
      }),
      { numRuns: runs },
    );
    db.close();
  });
});
