import { type MissedRuns, open } from "@alkdev/honker";
import { engineModes, FakeClock } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const runs = Number(process.env.ALKDEV_PROPERTY_RUNS ?? 100);

/** `every`: seconds between runs; `minutes`: the cron step `* /minutes`. */
type Rule = { readonly every: number } | { readonly minutes: number };

type Step =
  | { kind: "add"; name: string; rule: Rule; missed: MissedRuns }
  | { kind: "pause" | "resume" | "remove"; name: string }
  | { kind: "advance"; seconds: number }
  | { kind: "tick" };

const name = fc.constantFrom("a", "b", "c");
const rule: fc.Arbitrary<Rule> = fc.oneof(
  fc.integer({ min: 1, max: 400 }).map((every) => ({ every })),
  fc.constantFrom(1, 7, 15, 30).map((minutes) => ({ minutes })),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      name,
      rule,
      missed: fc.constantFrom("all" as const, "once" as const, "skip" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("pause" as const, "resume" as const, "remove" as const),
      name,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("advance" as const),
      seconds: fc.oneof(
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 0, max: 200_000 }),
        fc.integer({ min: -90_000, max: 0 }),
      ),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: "tick" as const }) },
);

function text(given: Rule): string {
  return "every" in given ? `@every ${given.every}s` : `*/${given.minutes} * * * *`;
}

function after(given: Rule, second: number): number {
  if ("every" in given) return second + given.every;
  let minute = Math.floor(second / 60) + 1;
  while ((minute % 60) % given.minutes !== 0) minute += 1;
  return minute * 60;
}

/** Schedules as plain data: a rule, a next time, and what a tick owes. */
class Model {
  readonly schedules = new Map<
    string,
    { rule: Rule; missed: MissedRuns; next: number; enabled: boolean }
  >();

  tick(now: number): string[] {
    const due = [...this.schedules].filter(([, { enabled, next }]) => enabled && next <= now);
    due.sort(([a, { next: x }], [b, { next: y }]) => x - y || (a < b ? -1 : 1));
    return due.flatMap(([scheduleName, schedule]) => {
      const slots: number[] = [];
      while (schedule.next <= now) {
        slots.push(schedule.next);
        schedule.next = after(schedule.rule, schedule.next);
      }
      const newest = slots.at(-1) as number;
      const wanted = {
        all: slots.slice(0, 64),
        once: [newest],
        skip: now - newest <= 120 ? [newest] : [],
      }[schedule.missed];
      return wanted.map((slot) => `${scheduleName} ${slot}`);
    });
  }
}

describe.each(engineModes)("M9: schedules against a model $mode", ({ extension }) => {
  it("agree with it after every step, and fire no slot twice", { timeout: 600_000 }, () => {
    const clock = new FakeClock();
    const db = open(":memory:", { extension, clock });
    const scheduler = db.scheduler();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        db.execute("DELETE FROM _honker_scheduler_tasks");
        db.execute("DELETE FROM _honker_live");
        const model = new Model();
        for (const action of steps) {
          const now = Math.floor(clock.now() / 1_000);
          if (action.kind === "advance") {
            clock.advance(action.seconds * 1_000);
          } else if (action.kind === "tick") {
            const fired = scheduler.tick();
            expect(
              fired.map(({ name: of, fireAt }) => `${of} ${fireAt.getTime() / 1_000}`),
            ).toEqual(model.tick(now));
          } else if (action.kind === "add") {
            const { rule: given, missed } = action;
            const before = model.schedules.get(action.name);
            const same = before !== undefined && text(before.rule) === text(given);
            model.schedules.set(action.name, {
              rule: given,
              missed,
              next: same ? before.next : after(given, now),
              enabled: before?.enabled ?? true,
            });
            scheduler.add(action.name, text(given), { queue: "q", missed });
          } else {
            const schedule = model.schedules.get(action.name);
            const changes =
              schedule !== undefined &&
              (action.kind === "remove" || schedule.enabled === (action.kind === "pause"));
            expect(scheduler[action.kind](action.name)).toBe(changes);
            if (schedule === undefined) continue;
            if (action.kind === "remove") model.schedules.delete(action.name);
            else schedule.enabled = action.kind === "resume";
            if (action.kind === "resume" && changes && schedule.next <= now) {
              const beat = schedule.next;
              schedule.next =
                "every" in schedule.rule ? now + schedule.rule.every : after(schedule.rule, now);
              expect(schedule.next).toBeGreaterThan(beat);
            }
          }
          const shown = scheduler.list().map((row) => [row.name, row.nextFireAt.getTime() / 1_000]);
          const expected = [...model.schedules].map(([of, { next }]) => [of, next]);
          expect(shown).toEqual(
            expected.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)),
          );
        }
      }),
      { numRuns: runs },
    );
    db.close();
  });
});
