import { open } from "@alkdev/honker";
import { engineModes, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";

const DDL = [
  "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT)",
  "CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent(id) ON DELETE CASCADE)",
  "CREATE TABLE log (line TEXT)",
  "CREATE TRIGGER logged AFTER INSERT ON child BEGIN INSERT INTO log VALUES ('x'); END",
  "CREATE VIEW names AS SELECT name FROM parent",
  "CREATE INDEX child_parent ON child(parent)",
];

describe.each(engineModes)("M17: tables of a statement, $mode", ({ extension }) => {
  const setup = () => {
    const db = tempDatabase({ extension });
    for (const ddl of DDL) db.execute(ddl);
    return db;
  };
  const tables = (db: ReturnType<typeof setup>, sql: string, params: number[] = []) => {
    const { reads, writes, opaque } = db.tablesOf(sql, params);
    return { reads: [...reads].sort(), writes: [...writes].sort(), opaque };
  };

  it("are found through views, indexes, subqueries and common table expressions", () => {
    const db = setup();
    expect(tables(db, "SELECT * FROM names").reads).toEqual(["parent"]);
    expect(tables(db, "SELECT id FROM child WHERE parent = ?", [1]).reads).toEqual(["child"]);
    expect(
      tables(db, "WITH l AS (SELECT * FROM log) SELECT (SELECT count(*) FROM parent) FROM l").reads,
    ).toEqual(["log", "parent"]);
    expect(tables(db, "SELECT value FROM json_each('[1]')")).toEqual({
      reads: [],
      writes: [],
      opaque: false,
    });
  });

  it("are found through cascades, triggers and deletes without a condition", () => {
    const db = setup();
    expect(tables(db, "DELETE FROM parent WHERE id = ?", [1]).writes).toEqual(["child", "parent"]);
    expect(tables(db, "INSERT INTO child VALUES (?, NULL)", [1]).writes).toEqual(["child", "log"]);
    expect(tables(db, "DELETE FROM log").writes).toEqual(["log"]);
  });

  it("are not known for a schema change, and where a virtual table takes part", () => {
    const db = setup();
    expect(tables(db, "CREATE TABLE other (id)").opaque).toBe(true);
    db.execute("CREATE VIRTUAL TABLE words USING fts5(word)");
    expect(tables(db, "INSERT INTO words VALUES ('x')").opaque).toBe(true);
    expect(tables(db, "SELECT * FROM words").opaque).toBe(true);
  });

  it("are told to listeners after each commit, once, and not after a rollback", () => {
    const db = setup();
    const heard: string[][] = [];
    const stop = db.onCommit(({ tables }) => heard.push([...tables].sort()));
    db.execute("INSERT INTO parent VALUES (1, 'a')");
    db.transaction((tx) => {
      tx.execute("INSERT INTO child VALUES (1, 1)");
      expect(() =>
        tx.transaction((inner) => {
          inner.execute("UPDATE parent SET name = 'b'");
          throw new Error("dropped");
        }),
      ).toThrow("dropped");
      expect(heard).toHaveLength(1);
    });
    expect(() => db.execute("INSERT INTO parent VALUES (1, 'again')")).toThrow();
    db.query("SELECT * FROM parent");
    stop();
    db.execute("DELETE FROM log");
    // a refused statement may be told of: it could have written before it failed
    expect(heard.slice(0, 2)).toEqual([["parent"], ["child", "log"]]);
    expect(heard.flat()).not.toContain("again");
  });

  it("are no longer told once the handle is closed, while another handle of the file is open", () => {
    const db = setup();
    const other = open(db.path, { extension });
    let heard = 0;
    other.onCommit(() => {
      heard += 1;
    });
    db.execute("INSERT INTO parent VALUES (1, 'a')");
    other.close();
    db.execute("INSERT INTO parent VALUES (2, 'b')");
    expect(heard).toBe(1);
  });

  it("tell of the engine's own tables by a flag", () => {
    const db = setup();
    const heard: boolean[] = [];
    db.onCommit(({ engine, tables }) => heard.push(engine && tables.size === 0));
    db.notify("channel", 1);
    expect(heard).toEqual([true]);
  });

  it("tell of tables of the layer above by their names: nobody else is woken", () => {
    const db = setup();
    db.execute("CREATE TABLE _alk_storage_notes (text TEXT)");
    const heard: unknown[] = [];
    db.onCommit(({ engine, tables }) => heard.push([engine, ...tables]));
    db.execute("INSERT INTO _alk_storage_notes VALUES ('a')");
    db.prepare("UPDATE _alk_storage_notes SET text = 'b'").run();
    expect(heard).toEqual([
      [false, "_alk_storage_notes"],
      [false, "_alk_storage_notes"],
    ]);
  });

  it("tell nobody of reading them, and of a SELECT that calls a function that writes", () => {
    const db = setup();
    let heard = 0;
    db.onCommit(() => {
      heard += 1;
    });
    db.rows("SELECT count(*) FROM _honker_live");
    db.prepare("SELECT count(*) FROM _alk_locks").rows();
    expect(heard).toBe(0);
    if (!db.hasExtension) return;
    db.rows("SELECT notify('channel', '1')");
    db.prepare(`SELECT "honker_enqueue"('work', '{}', NULL, NULL, 0, 3, NULL)`).rows();
    expect(heard).toBe(2);
  });
});

describe.each(engineModes)("M2: a prepared statement, $mode", ({ extension }) => {
  it("runs many times, joins transactions, and refuses to after the database is closed", () => {
    const db = tempDatabase({ extension });
    db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
    const insert = db.prepare("INSERT INTO t VALUES (?, ?)");
    const select = db.prepare("SELECT a, b FROM t ORDER BY a");
    expect(insert.run([1, "x"])).toEqual({ changes: 1, lastInsertRowid: 1 });
    expect(() =>
      db.transaction(() => {
        insert.run([2, "y"]);
        expect(select.rows()).toHaveLength(2);
        throw new Error("dropped");
      }),
    ).toThrow("dropped");
    expect(select.row()).toEqual([1, "x"]);
    expect(select.objects()).toEqual([{ a: 1, b: "x" }]);
    expect(select.columns().map(({ name }) => name)).toEqual(["a", "b"]);
    expect([...select.iterate()]).toEqual([[1, "x"]]);
    db.close();
    for (const run of [
      () => insert.run([3, "z"]),
      () => select.rows(),
      () => db.prepare("SELECT 1"),
    ]) {
      expect(run).toThrow(expect.objectContaining({ code: "CLOSED" }));
    }
  });

  it("says what a write with RETURNING changed", () => {
    const db = tempDatabase({ extension });
    db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)");
    const insert = db.prepare("INSERT INTO t VALUES (7), (8) RETURNING a");
    expect(insert.run()).toEqual({ changes: 2, lastInsertRowid: 8 });
  });

  it("begins and ends transactions through the transaction stack", () => {
    const db = tempDatabase({ extension });
    db.prepare("BEGIN IMMEDIATE").run();
    expect(db.inTransaction).toBe(true);
    db.prepare("ROLLBACK").rows();
    expect(db.inTransaction).toBe(false);
    expect(() => db.prepare("COMMIT").run()).toThrow(
      expect.objectContaining({ code: "TRANSACTION_STATE" }),
    );
  });

  it("refuses to round integers, and is exact where asked to be", () => {
    const db = tempDatabase({ extension });
    const big = db.prepare("SELECT 9007199254740993 AS big");
    for (const run of [
      () => big.row(),
      () => big.rows(),
      () => big.objects(),
      () => [...big.iterate()],
    ]) {
      expect(run).toThrow(expect.objectContaining({ code: "UNSAFE_INTEGER" }));
    }
    expect(big.row([], "bigint")).toEqual([9007199254740993n]);
  });
});
