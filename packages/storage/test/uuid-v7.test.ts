import { uuidV7 } from "@alkdev/storage/sqlite";
import { expect, test, vi } from "vitest";

test("is a UUID of version 7 and variant 10 that starts with the time", () => {
  const before = Date.now();
  const id = uuidV7();
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const time = Number.parseInt(id.replace("-", "").slice(0, 12), 16);
  expect(time).toBeGreaterThanOrEqual(before);
  expect(time).toBeLessThanOrEqual(Date.now() + 1_000);
});

test("sorts in the order of creation, thousands in one millisecond", () => {
  const ids = Array.from({ length: 20_000 }, uuidV7);
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

test("goes on sorting when the clock is set back", () => {
  const first = uuidV7();
  const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() - 3_600_000);
  const second = uuidV7();
  clock.mockRestore();
  expect(second > first).toBe(true);
});
