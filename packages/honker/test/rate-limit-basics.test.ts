import { type Database, open, type RateLimitOptions } from "@alkdev/honker";
import { engineModes, FakeClock, tempDatabase } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

const runs = Number(process.env.ALKDEV_PROPERTY_RUNS ?? 100);

function count(db: Database, table: string): unknown {
  return db.rows(`SELECT count(*) FROM ${table}`)[0]?.[0];
}

describe.each(engineModes)("M10: rate limits $mode", ({ extension }) => {
  function setup(): { db: Database; clock: FakeClock } {
    const clock = new FakeClock();
    return { db: tempDatabase({ extension, clock }), clock };
  }

  it.each<[string, string, RateLimitOptions]>([
    ["an empty name", "", { limit: 1, perSeconds: 1 }],
    ["a limit of zero", "api", { limit: 0, perSeconds: 1 }],
    ["half a call", "api", { limit: 1.5, perSeconds: 1 }],
    ["no time", "api", { limit: 1, perSeconds: 0 }],
    ["NaN seconds", "api", { limit: 1, perSeconds: Number.NaN }],
    ["a fixed window of half a second", "api", { limit: 1, perSeconds: 0.5, algorithm: "fixed" }],
    ["a free call", "api", { limit: 1, perSeconds: 1, cost: 0 }],
    ["a cost above the limit", "api", { limit: 3, perSeconds: 1, cost: 4 }],
    ["an unknown algorithm", "api", { limit: 3, perSeconds: 1, algorithm: "leaky" as "fixed" }],
  ])("refuse %s", (_, name, options) => {
    const { db } = setup();
    expect(codeOf(() => db.tryRateLimit(name, options))).toBe("INVALID_ARGUMENT");
  });

  it("of fixed windows start again at the next multiple of the window", () => {
    const { db, clock } = setup();
    clock.advance(7_000);
    expect([1, 2, 3].map(() => db.tryRateLimit("api", 2, 10))).toEqual([true, true, false]);
    clock.advance(2_999);
    expect(db.tryRateLimit("api", 2, 10)).toBe(false);
    clock.advance(1);
    expect(db.tryRateLimit("api", 2, 10)).toBe(true);
  });

  it("of fixed windows say what is left and how long to wait", () => {
    const { db, clock } = setup();
    clock.advance(7_250);
    const ask = (cost: number): unknown =>
      db.tryRateLimit("api", { limit: 5, perSeconds: 10, algorithm: "fixed", cost });
    expect(ask(3)).toEqual({ allowed: true, remaining: 2, retryAfterMs: 0 });
    expect(ask(3)).toEqual({ allowed: false, remaining: 2, retryAfterMs: 2_750 });
    expect(ask(2)).toEqual({ allowed: true, remaining: 0, retryAfterMs: 0 });
  });

  it("of sliding windows hold across the boundary where fixed ones let twice as much through", () => {
    const { db, clock } = setup();
    clock.advance(9_999);
    const pass = (algorithm: "fixed" | "sliding"): number =>
      [1, 2, 3, 4].filter(
        () => db.tryRateLimit(algorithm, { limit: 4, perSeconds: 10, algorithm }).allowed,
      ).length;
    const before = { fixed: pass("fixed"), sliding: pass("sliding") };
    clock.advance(1);
    const after = { fixed: pass("fixed"), sliding: pass("sliding") };
    expect(before).toEqual({ fixed: 4, sliding: 4 });
    expect(after).toEqual({ fixed: 4, sliding: 0 });
  });

  it("of sliding windows say exactly when the next call is allowed", () => {
    const { db, clock } = setup();
    const ask = (cost: number): { allowed: boolean; remaining: number; retryAfterMs: number } =>
      db.tryRateLimit("api", { limit: 5, perSeconds: 1, cost });
    expect(ask(2)).toEqual({ allowed: true, remaining: 3, retryAfterMs: 0 });
    clock.advance(300);
    expect(ask(3)).toEqual({ allowed: true, remaining: 0, retryAfterMs: 0 });
    expect(ask(2)).toEqual({ allowed: false, remaining: 0, retryAfterMs: 700 });
    expect(ask(3)).toEqual({ allowed: false, remaining: 0, retryAfterMs: 1_000 });
    clock.advance(699);
    expect(ask(2).allowed).toBe(false);
    clock.advance(1);
    expect(ask(3).allowed).toBe(false);
    expect(ask(2)).toEqual({ allowed: true, remaining: 0, retryAfterMs: 0 });
  });

  it("are given back when the transaction is rolled back", () => {
    const { db } = setup();
    for (const options of [
      { limit: 1, perSeconds: 10 },
      { limit: 1, perSeconds: 10, algorithm: "fixed" as const },
    ]) {
      expect(() =>
        db.transaction(() => {
          expect(db.tryRateLimit("api", options).allowed).toBe(true);
          expect(db.tryRateLimit("api", options).allowed).toBe(false);
          throw new Error("undo");
        }),
      ).toThrow("undo");
      expect(db.tryRateLimit("api", options).allowed).toBe(true);
    }
  });

  it("count apart by name and by window", () => {
    const { db } = setup();
    expect(db.tryRateLimit("a", { limit: 1, perSeconds: 1 }).allowed).toBe(true);
    expect(db.tryRateLimit("b", { limit: 1, perSeconds: 1 }).allowed).toBe(true);
    expect(db.tryRateLimit("a", { limit: 1, perSeconds: 60 }).allowed).toBe(true);
    expect(db.tryRateLimit("a", { limit: 1, perSeconds: 1 }).allowed).toBe(false);
  });

  it("survive reopening", () => {
    const { db, clock } = setup();
    db.tryRateLimit("s", { limit: 1, perSeconds: 60 });
    db.tryRateLimit("f", 1, 60);
    db.close();
    const again = open(db.path, { extension, clock });
    expect(again.tryRateLimit("s", { limit: 1, perSeconds: 60 }).allowed).toBe(false);
    expect(again.tryRateLimit("f", 1, 60)).toBe(false);
    again.close();
  });

  it("delete what is over by themselves", () => {
    const { db, clock } = setup();
    for (let i = 0; i < 500; i++) {
      db.tryRateLimit(`ip-${i}`, 5, 10);
      db.tryRateLimit(`ip-${i}`, { limit: 5, perSeconds: 10 });
      clock.advance(1_000);
    }
    expect(count(db, "_honker_rate_limits")).toBeLessThan(25);
    expect(count(db, "_alk_rate_events")).toBeLessThan(25);
    clock.advance(60_000);
    expect(db.sweepRateLimits(30)).toBeGreaterThan(0);
    expect(count(db, "_honker_rate_limits")).toBe(0);
    expect(count(db, "_alk_rate_events")).toBe(0);
  });

  it("hold while the clock steps back a little, and recover when it goes back a day", () => {
    const { db, clock } = setup();
    const ask = (): boolean => db.tryRateLimit("api", { limit: 2, perSeconds: 10 }).allowed;
    expect([ask(), ask(), ask()]).toEqual([true, true, false]);
    clock.advance(-5_000);
    expect(ask()).toBe(false);
    clock.advance(-86_400_000);
    expect([ask(), ask(), ask()]).toEqual([true, true, false]);
    clock.advance(86_400_000 + 5_000);
    expect([ask(), ask(), ask()]).toEqual([true, true, false]);
  });

  it("count what is taken while the clock is back as taken when it was ahead", () => {
    const { db, clock } = setup();
    const ask = (): boolean => db.tryRateLimit("api", { limit: 3, perSeconds: 10 }).allowed;
    expect([ask(), ask()]).toEqual([true, true]);
    clock.advance(-5_000);
    expect([ask(), ask()]).toEqual([true, false]);
    clock.advance(5_000 + 9_999);
    expect(ask()).toBe(false);
    clock.advance(1);
    expect(ask()).toBe(true);
  });

  it("of sliding windows are never exceeded, and never stricter than they need to be", () => {
    const clock = new FakeClock();
    const db = open(":memory:", { extension, clock });
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 600 }),
      cost: fc.integer({ min: 1, max: 4 }),
    });
    let name = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 8 }),
        fc.array(step, { maxLength: 60 }),
        (limit, steps) => {
          name += 1;
          const taken: { at: number; cost: number }[] = [];
          for (const { waitMs, cost } of steps) {
            clock.advance(waitMs);
            const now = clock.now();
            const inWindow = (at: number): number =>
              taken
                .filter((event) => event.at > at - 1_000 && event.at <= at)
                .reduce((sum, event) => sum + event.cost, 0);
            const result = db.tryRateLimit(`api-${name}`, { limit, perSeconds: 1, cost });
            const used = inWindow(now);
            expect(result.allowed).toBe(used + cost <= limit);
            if (result.allowed) taken.push({ at: now, cost });
            expect(result.remaining).toBe(limit - inWindow(now));
            if (result.allowed) continue;
            expect(inWindow(now + result.retryAfterMs) + cost).toBeLessThanOrEqual(limit);
            expect(inWindow(now + result.retryAfterMs - 1) + cost).toBeGreaterThan(limit);
          }
        },
      ),
      { numRuns: runs },
    );
    db.close();
  });
});

describe("M12: Honker's rate limit function on the same rows", () => {
  it("counts together with tryRateLimit, window by window", () => {
    const db = tempDatabase({ extension: "require" });
    const honker = (limit: number, per: number): unknown =>
      db.rows("SELECT honker_rate_limit_try('api', ?, ?)", [limit, per])[0]?.[0] === 1;
    // one window for the whole test: longer than any test, and not at its edge
    const per = 100_000_000;
    const answers = Array.from({ length: 10 }, (_, i) =>
      i % 2 === 0 ? honker(7, per) : db.tryRateLimit("api", 7, per),
    );
    expect(answers).toEqual([true, true, true, true, true, true, true, false, false, false]);
    expect(count(db, "_honker_rate_limits")).toBe(1);
    expect(codeOf(() => honker(0, per))).toBe("SQL_ERROR");
  });
});
