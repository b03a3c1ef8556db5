import { expect, it } from "vitest";
import { steadyPlan } from "../src/sqlite/steady-plan.ts";

it.each([
  [
    "SELECT 1 FROM t WHERE a = ? AND b > ? LIMIT ?",
    "SELECT 1 FROM t WHERE a = +? AND b > +? LIMIT ?",
  ],
  ["UPDATE t SET a = ?1 WHERE b <= ?2", "UPDATE t SET a = +?1 WHERE b <= +?2"],
  ["INSERT INTO t VALUES (?, ?)", "INSERT INTO t VALUES (?, ?)"],
  ["SELECT a FROM t WHERE b = +?", "SELECT a FROM t WHERE b = +?"],
])("writes %s as %s", (sql, steady) => {
  expect(steadyPlan(sql)).toBe(steady);
  expect(steadyPlan(sql)).toBe(steady);
});
