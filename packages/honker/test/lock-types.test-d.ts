import { type Database, type Lock, nextFireTime, type RateLimitResult } from "@alkdev/honker";
import { expectTypeOf, it } from "vitest";

declare const db: Database;

it("withLock gives back what the work gives, awaited", () => {
  expectTypeOf(db.withLock("job", {}, () => 42)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(
    db.withLock("job", {}, async (lock, signal) => [lock, signal] as const),
  ).toEqualTypeOf<Promise<readonly [Lock, AbortSignal]>>();
});

it("tryRateLimit answers yes or no to numbers, and in full to options", () => {
  expectTypeOf(db.tryRateLimit("api", 5, 60)).toEqualTypeOf<boolean>();
  expectTypeOf(
    db.tryRateLimit("api", { limit: 5, perSeconds: 60 }),
  ).toEqualTypeOf<RateLimitResult>();
  // @ts-expect-error the window is missing
  db.tryRateLimit("api", 5);
});

it("a schedule needs a queue, in both spellings", () => {
  // @ts-expect-error no queue
  db.scheduler().add("a", "@daily", {});
  // @ts-expect-error no queue
  db.scheduler().add({ name: "a", schedule: "@daily" });
  expectTypeOf(nextFireTime).returns.toEqualTypeOf<Date>();
});
