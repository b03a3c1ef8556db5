import { tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

describe("M2: numbered parameters", () => {
  it.each<[string, unknown[], unknown[]]>([
    ["SELECT ?1, ?1", [5], [5, 5]],
    ["SELECT ?2, ?1", ["a", "b"], ["b", "a"]],
    ["SELECT ?1, ?2, ?1", ["a", null], ["a", null, "a"]],
    ["SELECT ?, ?", [1, 2], [1, 2]],
    ["SELECT ?2, ?", [1, 2, 3], [2, 3]],
    ["SELECT ?, ?1, ?", [1, 2], [1, 1, 2]],
    ["SELECT ?2", [1, 2], [2]],
    [`SELECT '?1 ''?2', ?1 AS "?9", 1 -- ?7\n, 2 /* ?8 */, ?1`, ["x"], ["?1 '?2", "x", 1, 2, "x"]],
    ["SELECT ?10, ?1", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [10, 1]],
  ])("binds %s as SQLite counts", (sql, params, expected) => {
    const db = tempDatabase();
    expect(db.rows(sql, params as never)).toEqual([expected]);
  });

  it("refuses a wrong number of values", () => {
    const db = tempDatabase();
    expect(codeOf(() => db.rows("SELECT ?1, ?1", []))).toBe("INVALID_PARAMETER");
    expect(codeOf(() => db.rows("SELECT ?1, ?1", [1, 2]))).toBe("INVALID_PARAMETER");
    expect(codeOf(() => db.rows("SELECT ?2, ?1", [1]))).toBe("INVALID_PARAMETER");
    expect(codeOf(() => db.rows("SELECT ?1, ?2", [1]))).toBe("INVALID_PARAMETER");
  });
});
