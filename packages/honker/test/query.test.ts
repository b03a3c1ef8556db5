import { type Database, HonkerError } from "@alkdev/honker";
import { engineModes, tempDatabase } from "@alkdev/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

describe.each(engineModes)("queries $mode (M2)", ({ extension }) => {
  let db: Database;
  beforeEach(() => {
    db = tempDatabase({ extension });
    db.execute("CREATE TABLE v (id INTEGER PRIMARY KEY, value BLOB)");
  });

  it.each<[string, unknown, unknown]>([
    ["null", null, null],
    ["an empty string", "", ""],
    ["text with NUL and emoji", "a\u0000😀", "a\u0000😀"],
    ["zero", 0, 0],
    ["a negative real", -1.5, -1.5],
    ["Infinity", Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ["true", true, 1],
    ["false", false, 0],
    ["a bigint in range", 5n, 5],
    ["an empty Buffer", Buffer.alloc(0), Buffer.alloc(0)],
    ["a Buffer", Buffer.from([0, 255, 1]), Buffer.from([0, 255, 1])],
    ["a Uint8Array", new Uint8Array([7, 8]), Buffer.from([7, 8])],
    ["10 MB of text", "é".repeat(5_000_000), "é".repeat(5_000_000)],
    ["10 MB of bytes", Buffer.alloc(10_000_000, 3), Buffer.alloc(10_000_000, 3)],
  ])("gives back %s", (_what, value, expected) => {
    db.execute("INSERT INTO v (value) VALUES (?)", [value as never]);
    const [row] = db.query("SELECT value FROM v");
    if (Buffer.isBuffer(expected)) expect(expected.equals(row?.["value"] as Buffer)).toBe(true);
    else expect(row).toEqual({ value: expected });
  });

  it.each<[string, unknown, RegExp]>([
    ["NaN", Number.NaN, /parameter 1 is NaN.*null/],
    ["undefined", undefined, /parameter 1 is undefined/],
    ["a Date", new Date(), /parameter 1 is a Date.*getTime/],
    ["an object", { a: 1 }, /parameter 1 is an object.*JSON/],
    ["an array", [1], /parameter 1 is an array/],
    ["a symbol", Symbol("s"), /parameter 1 is a symbol/],
    ["a function", () => 1, /parameter 1 is a function/],
  ])("refuses %s as a parameter, and writes nothing", (_what, value, message) => {
    const insert = (): unknown => db.execute("INSERT INTO v (value) VALUES (?)", [value as never]);
    expect(codeOf(insert)).toBe("INVALID_PARAMETER");
    expect(insert).toThrow(message);
    expect(db.rows("SELECT * FROM v")).toEqual([]);
  });

  it("refuses an unsupported value that stands beside a boolean", () => {
    expect(codeOf(() => db.rows("SELECT ?, ?", [true, undefined as never]))).toBe(
      "INVALID_PARAMETER",
    );
  });

  it("returns changes and the last row id", () => {
    expect(db.execute("INSERT INTO v (id, value) VALUES (7, 1), (9, 2)")).toEqual({
      changes: 2,
      lastInsertRowid: 9,
    });
    expect(db.execute("UPDATE v SET value = 3").changes).toBe(2);
    expect(db.execute("DELETE FROM v WHERE id = 100").changes).toBe(0);
  });

  it("refuses object rows with two columns of one name, and offers positional rows", () => {
    db.execute("INSERT INTO v (id, value) VALUES (1, 'a'), (2, 'b')");
    const join = "SELECT a.id, b.id, b.value FROM v a JOIN v b ON b.id = a.id + 1";
    expect(codeOf(() => db.query(join))).toBe("DUPLICATE_COLUMN");
    expect(() => db.query(join)).toThrow(/"id".*alias.*rows\(\)/);
    expect(db.rows(join)).toEqual([[1, 2, "b"]]);
  });

  it("keeps select order, also for columns called like numbers", () => {
    const [row] = db.rows('SELECT 3 AS "2", 1 AS "1", 2 AS b, 0 AS a');
    expect(row).toEqual([3, 1, 2, 0]);
    expect(db.query('SELECT 3 AS "1"')).toEqual([{ "1": 3 }]);
  });

  it("never rounds an integer: it throws, or returns bigint when asked", () => {
    db.execute("CREATE TABLE big (n INTEGER, r REAL)");
    db.execute("INSERT INTO big VALUES (?, 1e300)", [9_007_199_254_740_993n]);
    expect(codeOf(() => db.query("SELECT n FROM big"))).toBe("UNSAFE_INTEGER");
    expect(codeOf(() => db.rows("SELECT -n AS m FROM big"))).toBe("UNSAFE_INTEGER");
    expect(codeOf(() => [...db.iterate("SELECT n FROM big")])).toBe("UNSAFE_INTEGER");
    expect(db.query("SELECT n FROM big", [], { integers: "bigint" })).toEqual([
      { n: 9_007_199_254_740_993n },
    ]);
    expect(db.query("SELECT r, 9007199254740991 AS m FROM big")).toEqual([
      { r: 1e300, m: Number.MAX_SAFE_INTEGER },
    ]);
    expect(db.query("SELECT id FROM v")).toEqual([]);
  });

  it("returns rows of INSERT … RETURNING, and commits", () => {
    expect(db.query("INSERT INTO v (value) VALUES ('x') RETURNING id, value")).toEqual([
      { id: 1, value: "x" },
    ]);
    expect(db.execute("INSERT INTO v (value) VALUES ('y') RETURNING id").changes).toBeTypeOf(
      "number",
    );
    expect(db.rows("SELECT count(*) FROM v")).toEqual([[2]]);
  });

  it("iterates rows one at a time and refuses to write meanwhile", () => {
    for (let i = 0; i < 5; i++) db.execute("INSERT INTO v (value) VALUES (?)", [i]);
    const seen: unknown[] = [];
    for (const row of db.iterate("SELECT value FROM v ORDER BY id")) {
      seen.push(row["value"]);
      expect(db.rows("SELECT count(*) FROM v")).toEqual([[5]]);
      expect(codeOf(() => db.execute("DELETE FROM v"))).toBe("ITERATING");
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([0, 1, 2]);
    expect(db.execute("DELETE FROM v").changes).toBe(5);
  });

  it("iterates one statement twice at the same time", () => {
    for (let i = 0; i < 3; i++) db.execute("INSERT INTO v (value) VALUES (?)", [i]);
    const pairs: unknown[] = [];
    const sql = "SELECT value FROM v ORDER BY id";
    for (const a of db.iterate(sql)) for (const b of db.iterate(sql)) pairs.push([a, b]);
    expect(pairs).toHaveLength(9);
  });

  it("names the statement and the cause when SQL is wrong", () => {
    const bad = (): unknown => db.query("SELECT nope FROM v");
    expect(codeOf(bad)).toBe("SQL_ERROR");
    expect(bad).toThrow(/no such column: nope.*SELECT nope FROM v/s);
    expect(codeOf(() => db.execute("INSERT INTO v (id) VALUES (?)", [1, 2]))).toBe(
      "INVALID_PARAMETER",
    );
    expect(codeOf(() => db.query(""))).toBe("SQL_ERROR");
    expect(codeOf(() => db.query("SELECT 1; SELECT 2"))).toBe("SQL_ERROR");
  });

  it("keeps the original error as cause", () => {
    db.execute("CREATE TABLE u (x UNIQUE)");
    db.execute("INSERT INTO u VALUES (1)");
    try {
      db.execute("INSERT INTO u VALUES (1)");
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(HonkerError);
      expect((error as HonkerError).details["sqliteCode"]).toBe("SQLITE_CONSTRAINT_UNIQUE");
      expect((error as HonkerError).cause).toBeInstanceOf(Error);
    }
  });

  it("goes on working when more statements are used than the cache holds", () => {
    const small = tempDatabase({ extension, statementCacheSize: 2 });
    for (let i = 0; i < 50; i++) expect(small.rows(`SELECT ${i}`)).toEqual([[i]]);
    expect(small.rows("SELECT 0")).toEqual([[0]]);
  });

  it("follows a schema change with a cached statement", () => {
    db.execute("INSERT INTO v (value) VALUES ('x')");
    expect(db.query("SELECT * FROM v")).toEqual([{ id: 1, value: "x" }]);
    db.execute("ALTER TABLE v ADD COLUMN extra TEXT DEFAULT 'e'");
    expect(db.query("SELECT * FROM v")).toEqual([{ id: 1, value: "x", extra: "e" }]);
  });

  it("refuses every call on a closed database", () => {
    const iterate = db.iterate("SELECT 1");
    db.close();
    db.close();
    for (const call of [
      () => db.query("SELECT 1"),
      () => db.rows("SELECT 1"),
      () => db.execute("SELECT 1"),
      () => db.iterate("SELECT 1"),
      () => [...iterate],
      () => db.transaction(() => 1),
      () => db.transaction(),
      () => db.execute("BEGIN"),
      () => db.pruneNotifications(),
    ]) {
      expect(codeOf(call)).toBe("CLOSED");
    }
    expect(db.open).toBe(false);
  });
});
