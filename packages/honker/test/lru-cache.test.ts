import { expect, it } from "vitest";
import { LruCache } from "../src/sqlite/lru-cache.ts";

it("keeps at most its capacity, and what is used", () => {
  const cache = new LruCache<number, string>(10);
  for (let i = 0; i < 1_000; i++) {
    cache.set(i, `v${i}`);
    expect(cache.get(0)).toBe("v0");
    expect(cache.size).toBeLessThanOrEqual(10);
  }
  expect(cache.get(999)).toBe("v999");
  expect(cache.get(500)).toBeUndefined();
});

it("replaces a value, also one of the older generation", () => {
  const cache = new LruCache<string, number>(4);
  cache.set("a", 1);
  cache.set("b", 2);
  cache.set("a", 3);
  expect(cache.get("a")).toBe(3);
  cache.set("c", 4);
  cache.set("d", 5);
  expect(cache.get("a")).toBe(3);
});

it("works with a capacity of one and can be cleared", () => {
  const cache = new LruCache<string, number>(1);
  cache.set("a", 1);
  expect(cache.get("a")).toBe(1);
  cache.set("b", 2);
  expect(cache.get("a")).toBeUndefined();
  cache.clear();
  expect(cache.get("b")).toBeUndefined();
  expect(cache.size).toBe(0);
});
