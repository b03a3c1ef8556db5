// Honker reads cron in the zone of its process: set before anything asks for it.
process.env.TZ = "UTC";

import { HonkerError, nextFireTime, open } from "@alkdev/honker";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";

const runs = Number(process.env.ALKDEV_PROPERTY_RUNS ?? 300);
const FROM = new Date("2026-01-01T00:00:00Z"); // a Thursday

function next(expression: string, count = 1): string[] {
  const times: string[] = [];
  let at = FROM;
  for (let i = 0; i < count; i++) {
    at = nextFireTime(expression, at);
    times.push(at.toISOString().replace(":00.000Z", ""));
  }
  return times;
}

describe("M9: schedule expressions", () => {
  it.each<[string, string]>([
    ["", "it is empty"],
    ["* * * *", "it has 4 fields, not 5 or 6"],
    ["* * * * * * *", "it has 7 fields, not 5 or 6"],
    ["60 * * * *", 'field 1 (minute) "60": "60" is not from 0 to 59'],
    ["* 24 * * *", 'field 2 (hour) "24": "24" is not from 0 to 23'],
    ["* * * * 60 *", 'field 5 (month) "60": "60" is not from 1 to 12 or JAN-DEC'],
    ["0 0 * * MOM", 'field 5 (day of week) "MOM": "MOM" is not from 0 to 7 or SUN-SAT'],
    ["0 0 0 * *", 'field 3 (day of month) "0": "0" is not from 1 to 31'],
    ["*/0 * * * *", 'field 1 (minute) "*/0": the step "*/0" is not a whole number from 1'],
    ["*/x * * * *", "the step"],
    ["5/15 * * * *", 'field 1 (minute) "5/15": "5/15" has a step but no range'],
    ["10-5 * * * *", "the range 10-5 runs backwards"],
    ["1-2-3 * * * *", '"1-2-3" is not a range'],
    ["1,,2 * * * *", "a value is missing"],
    ["-1 * * * *", "a value is missing"],
    ["1.5 * * * *", '"1.5" is not from 0 to 59'],
    ["0 0 L * *", '"L" is not from 1 to 31'],
    ["0 0 * * 1#2", '"1#2" is not from 0 to 7'],
    ["0 0 31 FEB,APR *", "no day 31 in FEB, APR"],
    ["@reboot", "@reboot is not known"],
    ["@every", "@every needs a whole number from 1"],
    ["@every 0s", "@every needs a whole number from 1"],
    ["@every 1.5m", "@every needs a whole number from 1"],
    ["@every 5w", "@every needs a whole number from 1"],
    ["@every 99999d", "@every needs a whole number from 1"],
  ])("refuses %j and says what is wrong", (expression, problem) => {
    const refuse = (): unknown => nextFireTime(expression, FROM);
    expect(refuse).toThrow(HonkerError);
    expect(refuse).toThrow(problem);
  });

  it("refuses an unknown zone and a time that is none", () => {
    expect(() => nextFireTime("* * * * *", FROM, "Mars/Olympus")).toThrow('"Mars/Olympus"');
    expect(() => nextFireTime("* * * * *", Number.NaN)).toThrow("from must be");
    expect(() => nextFireTime("* * * * *", new Date(8.64e15))).toThrow("end of time");
  });

  it.each<[string, string[]]>([
    ["* * * * *", ["2026-01-01T00:01", "2026-01-01T00:02"]],
    ["*/20 * * * *", ["2026-01-01T00:20", "2026-01-01T00:40", "2026-01-01T01:00"]],
    ["*/30 * * * * *", ["2026-01-01T00:00:30.000Z", "2026-01-01T00:01"]],
    ["0 9 * * MON-fri", ["2026-01-01T09:00", "2026-01-02T09:00", "2026-01-05T09:00"]],
    ["0 9 * * fri-sun", ["2026-01-02T09:00", "2026-01-03T09:00", "2026-01-04T09:00"]],
    ["0 0 * * 7", ["2026-01-04T00:00", "2026-01-11T00:00"]],
    ["0 0 * * 5-7/2", ["2026-01-02T00:00", "2026-01-04T00:00"]],
    ["30 6 1,15 jan,Jul *", ["2026-01-01T06:30", "2026-01-15T06:30", "2026-07-01T06:30"]],
    ["0 0 13 * FRI", ["2026-02-13T00:00", "2026-03-13T00:00", "2026-11-13T00:00"]],
    ["0 0 29 2 *", ["2028-02-29T00:00", "2032-02-29T00:00"]],
    ["0 0 29 2 MON", ["2044-02-29T00:00", "2072-02-29T00:00", "2112-02-29T00:00"]],
    ["0 0 31 * *", ["2026-01-31T00:00", "2026-03-31T00:00", "2026-05-31T00:00"]],
    ["59 59 23 31 12 *", ["2026-12-31T23:59:59.000Z", "2027-12-31T23:59:59.000Z"]],
    ["@hourly", ["2026-01-01T01:00"]],
    ["@daily", ["2026-01-02T00:00"]],
    ["@midnight", ["2026-01-02T00:00"]],
    ["@weekly", ["2026-01-04T00:00"]],
    ["@monthly", ["2026-02-01T00:00"]],
    ["@YEARLY", ["2027-01-01T00:00"]],
    ["@annually", ["2027-01-01T00:00"]],
    ["@every 30s", ["2026-01-01T00:00:30.000Z", "2026-01-01T00:01"]],
    ["@every 90m", ["2026-01-01T01:30", "2026-01-01T03:00"]],
    ["  @every 2h ", ["2026-01-01T02:00"]],
    ["@every 1d", ["2026-01-02T00:00"]],
  ])("reads %j", (expression, times) => {
    expect(next(expression, times.length)).toEqual(times);
  });

  it("fires strictly after the given time, whatever its fraction of a second", () => {
    expect(nextFireTime("0 3 * * *", new Date("2026-01-01T03:00:00Z")).toISOString()).toBe(
      "2026-01-02T03:00:00.000Z",
    );
    expect(nextFireTime("0 3 * * *", new Date("2026-01-01T02:59:59.999Z")).toISOString()).toBe(
      "2026-01-01T03:00:00.000Z",
    );
  });

  it("agrees with Honker's own parser on everything that both take", () => {
    const db = open(":memory:", { extension: "require" });
    onTestFinished(() => db.close());
    const field = (min: number, max: number): fc.Arbitrary<string> => {
      const value = fc.integer({ min, max });
      const range = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
      const part = fc.oneof(
        { weight: 3, arbitrary: value.map(String) },
        range,
        fc.tuple(range, fc.integer({ min: 1, max: 9 })).map(([r, step]) => `${r}/${step}`),
        fc.integer({ min: 1, max: 30 }).map((step) => `*/${step}`),
      );
      return fc.oneof(
        { weight: 3, arbitrary: fc.constant("*") },
        fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(",")),
      );
    };
    const cron = fc
      .tuple(
        fc.option(field(0, 59)),
        field(0, 59),
        field(0, 23),
        field(1, 28),
        field(1, 12),
        field(0, 6),
      )
      .map((fields) => fields.filter((text) => text !== null).join(" "));
    const from = fc.integer({ min: 946_684_800, max: 2_208_988_800 });
    fc.assert(
      fc.property(cron, from, (expression, second) => {
        const honker = db.rows("SELECT honker_cron_next_after(?, ?)", [expression, second])[0]?.[0];
        expect(nextFireTime(expression, second * 1_000).getTime() / 1_000).toBe(honker);
      }),
      { numRuns: runs },
    );
  });
});
