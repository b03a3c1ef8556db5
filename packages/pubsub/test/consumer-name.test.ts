import { randomBytes, randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { claimConsumerName, consumerName } from "../src/index.ts";

const code = (expected: string) => expect.objectContaining({ code: expected });
const here = { processId: 48_213, now: Date.UTC(2026, 5, 1) };
const named = (instance: string, environment = here) =>
  consumerName({ role: "hub", instance, purpose: "dashboard" }, environment);

describe("consumerName (M22)", () => {
  it.each([
    "48213",
    "worker-48213",
    "w48213",
    randomUUID(),
    `hub-${randomUUID().replaceAll("-", "")}`,
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "9f2c4d1e8ab0",
    `hub-9f2c4d1e8ab0`,
    `a1${randomBytes(8).toString("hex")}`,
    "hub-7d9f8b6c5d-x2x4q",
    "1780272000",
    "1780272000123",
    "run-1780272000123",
    "2026-06-01T03-00",
    "20260601030000",
  ])("refuses an instance made at run time: %s", (instance) => {
    expect(() => named(instance)).toThrow(code("UNSTABLE_CONSUMER_NAME"));
    expect(() => consumerName({ role: instance, instance: "main", purpose: "x" }, here)).toThrow(
      code("UNSTABLE_CONSUMER_NAME"),
    );
  });

  it("refuses the pid of this very process", () => {
    const parts = { role: "hub", instance: `h-${process.pid}`, purpose: "x" };
    expect(() => consumerName(parts)).toThrow(code("UNSTABLE_CONSUMER_NAME"));
  });

  it.each([
    "main",
    "eu-1",
    "hub-0",
    "spoke_12",
    "A.b-c",
    "decade",
    "feedface",
    "2026-06-01",
    "0042",
    "48214",
  ])("takes an instance from configuration: %s", (instance) => {
    expect(named(instance)).toBe(`hub:${instance}:dashboard`);
  });

  it("takes the small numbers containers have as process id", () => {
    expect(named("hub-1", { ...here, processId: 1 })).toBe("hub:hub-1:dashboard");
  });

  it.each(["", "a:b", "a b", "-a", "ü", "x".repeat(65), null, 7])(
    "refuses %j as a part",
    (part) => {
      expect(() => named(part as string)).toThrow(code("INVALID_ARGUMENT"));
    },
  );

  it("is the same each time", () => {
    expect(named("eu-1")).toBe(named("eu-1"));
  });
});

describe("claimConsumerName (M22)", () => {
  it("refuses a name that is in use, per scope, until it is released", () => {
    const database = {};
    for (const scope of [database, "redis://127.0.0.1/stream"]) {
      const claim = claimConsumerName(scope, "hub:main:dashboard");
      expect(() => claimConsumerName(scope, "hub:main:dashboard")).toThrow(
        code("CONSUMER_NAME_TAKEN"),
      );
      claimConsumerName(scope, "hub:main:audit").release();
      claimConsumerName({}, "hub:main:dashboard").release();
      claim.release();
      const again = claimConsumerName(scope, "hub:main:dashboard");
      claim.release();
      expect(() => claimConsumerName(scope, again.name)).toThrow(code("CONSUMER_NAME_TAKEN"));
      again[Symbol.dispose]();
    }
  });
});
