import { type Database, HonkerError, type Transaction } from "@alkdev/honker";
import { engineModes, tempDatabase } from "@alkdev/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

describe.each(engineModes)("transactions $mode (M3)", ({ extension }) => {
  let db: Database;
  beforeEach(() => {
    db = tempDatabase({ extension });
    db.execute("CREATE TABLE t (x INTEGER UNIQUE)");
  });
  const values = (): unknown[] => db.rows("SELECT x FROM t ORDER BY x").flat();
  const channel = (): unknown[] =>
    db.rows("SELECT payload FROM _honker_notifications ORDER BY id").flat();

  it("returns what the callback returns, and commits", () => {
    const id: number = db.transaction((tx) => {
      tx.execute("INSERT INTO t VALUES (1)");
      return 42;
    });
    expect(id).toBe(42);
    expect(values()).toEqual([1]);
    expect(db.inTransaction).toBe(false);
  });

  it("rolls everything back when the callback throws, and throws the same error", () => {
    const boom = new Error("boom");
    expect(() =>
      db.transaction((tx) => {
        tx.execute("INSERT INTO t VALUES (1)");
        tx.notify("c", 1);
        throw boom;
      }),
    ).toThrow(boom);
    expect(values()).toEqual([]);
    expect(channel()).toEqual([]);
  });

  it("refuses a callback that returns a promise, and rolls back", async () => {
    const work = async (tx: Transaction): Promise<void> => {
      tx.execute("INSERT INTO t VALUES (1)");
      await Promise.resolve();
      tx.execute("INSERT INTO t VALUES (2)");
    };
    // @ts-expect-error an async callback is a type error too
    expect(codeOf(() => db.transaction(work))).toBe("ASYNC_TRANSACTION");
    await new Promise((resolve) => setImmediate(resolve));
    expect(values()).toEqual([]);
  });

  it("refuses any thenable, not only promises", () => {
    class Thenable {
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what this test is about
      then(): void {}
    }
    expect(codeOf(() => db.transaction(() => new Thenable() as never))).toBe("ASYNC_TRANSACTION");
  });

  it("joins a write and a notification made through the outer handle", () => {
    expect(() =>
      db.transaction(() => {
        db.execute("INSERT INTO t VALUES (1)");
        db.notify("c", 1);
        expect(db.inTransaction).toBe(true);
        throw new Error("undo");
      }),
    ).toThrow("undo");
    expect(values()).toEqual([]);
    expect(channel()).toEqual([]);
  });

  it("undoes only the inner transaction when only that one fails", () => {
    db.transaction((tx) => {
      tx.execute("INSERT INTO t VALUES (1)");
      expect(() =>
        tx.transaction((inner) => {
          expect(inner.depth).toBe(1);
          inner.execute("INSERT INTO t VALUES (2)");
          inner.notify("c", "inner");
          throw new Error("inner");
        }),
      ).toThrow("inner");
      db.transaction((inner) => {
        inner.execute("INSERT INTO t VALUES (3)");
      });
      tx.notify("c", "outer");
    });
    expect(values()).toEqual([1, 3]);
    expect(channel()).toEqual(['"outer"']);
  });

  it("undoes the inner transactions with the outer one", () => {
    expect(() =>
      db.transaction((tx) => {
        tx.transaction((inner) => {
          inner.transaction((innermost) => {
            innermost.execute("INSERT INTO t VALUES (1)");
            innermost.notify("c", 1);
          });
        });
        throw new Error("outer");
      }),
    ).toThrow("outer");
    expect(values()).toEqual([]);
    expect(channel()).toEqual([]);
  });

  it("goes on after a statement that a constraint refused", () => {
    db.transaction((tx) => {
      tx.execute("INSERT INTO t VALUES (1)");
      expect(codeOf(() => tx.execute("INSERT INTO t VALUES (1)"))).toBe("CONSTRAINT");
      tx.execute("INSERT INTO t VALUES (2)");
    });
    expect(values()).toEqual([1, 2]);
  });

  it("rolls back when the commit itself is refused", () => {
    db.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)");
    db.execute("CREATE TABLE child (parent REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED)");
    expect(
      codeOf(() =>
        db.transaction((tx) => {
          tx.execute("INSERT INTO child VALUES (1)");
        }),
      ),
    ).toBe("CONSTRAINT");
    expect(db.inTransaction).toBe(false);
    expect(db.rows("SELECT * FROM child")).toEqual([]);
  });

  it("calls afterCommit hooks once, after the outermost commit, and drops those rolled back", () => {
    const calls: string[] = [];
    db.transaction((tx) => {
      tx.afterCommit(() => calls.push(`outer ${db.inTransaction}`));
      tx.transaction((inner) => inner.afterCommit(() => calls.push("inner")));
      expect(() =>
        tx.transaction((inner) => {
          inner.afterCommit(() => calls.push("never"));
          throw new Error("undo");
        }),
      ).toThrow("undo");
      expect(calls).toEqual([]);
    });
    expect(calls).toEqual(["outer false", "inner"]);
  });

  it("takes afterCommit hooks through the outer handle, at once outside of a transaction", () => {
    const calls: string[] = [];
    db.afterCommit(() => calls.push("outside"));
    db.transaction(() => {
      db.afterCommit(() => calls.push("committed"));
      expect(calls).toEqual(["outside"]);
    });
    expect(() =>
      db.transaction(() => {
        db.afterCommit(() => calls.push("never"));
        throw new Error("undo");
      }),
    ).toThrow("undo");
    expect(calls).toEqual(["outside", "committed"]);
  });

  it("reports a hook that throws instead of failing a commit that happened", () => {
    const errors: unknown[] = [];
    const other = tempDatabase({ extension, onError: (error) => errors.push(error) });
    const boom = new Error("hook");
    other.transaction((tx) => {
      tx.afterCommit(() => {
        throw boom;
      });
    });
    expect(errors).toEqual([boom]);
  });

  it("lets the caller begin and end a transaction, and rolls back with using", () => {
    const tx = db.transaction();
    tx.execute("INSERT INTO t VALUES (1)");
    tx.commit();
    {
      using undone = db.transaction();
      undone.execute("INSERT INTO t VALUES (2)");
    }
    expect(values()).toEqual([1]);
  });

  it("refuses an ended handle, and ending the outer before the inner", () => {
    const outer = db.transaction();
    const inner = db.transaction();
    expect(codeOf(() => outer.commit())).toBe("TRANSACTION_STATE");
    inner.commit();
    outer.commit();
    expect(codeOf(() => outer.commit())).toBe("TRANSACTION_STATE");
    expect(codeOf(() => outer.execute("INSERT INTO t VALUES (9)"))).toBe("TRANSACTION_STATE");
    expect(codeOf(() => outer.notify("c", 1))).toBe("TRANSACTION_STATE");
    expect(values()).toEqual([]);
  });

  it("rolls back an explicit transaction when the database is closed", () => {
    const path = db.path;
    const tx = db.transaction();
    tx.execute("INSERT INTO t VALUES (1)");
    db.close();
    expect(tx.open).toBe(false);
    expect(codeOf(() => tx.commit())).toBe("TRANSACTION_STATE");
    expect(path).not.toBe("");
  });

  it("says so when the database is closed inside a callback", () => {
    expect(codeOf(() => db.transaction(() => db.close()))).toBe("CLOSED");
  });

  it("takes BEGIN, COMMIT and ROLLBACK as SQL and keeps notifications right", () => {
    db.execute("BEGIN IMMEDIATE");
    db.notify("c", 1);
    expect(db.inTransaction).toBe(true);
    db.execute("ROLLBACK");
    db.execute("begin");
    db.notify("c", 2);
    db.execute("COMMIT;");
    expect(channel()).toEqual(["2"]);
    expect(codeOf(() => db.execute("COMMIT"))).toBe("TRANSACTION_STATE");
    expect(codeOf(() => db.transaction((tx) => tx.execute("BEGIN")))).toBe("TRANSACTION_STATE");
  });

  it("leaves SAVEPOINT, ROLLBACK TO and RELEASE to SQLite", () => {
    db.transaction((tx) => {
      tx.execute("SAVEPOINT sp0");
      tx.execute("INSERT INTO t VALUES (1)");
      tx.execute("ROLLBACK TO sp0");
      tx.execute("RELEASE sp0");
      tx.execute("INSERT INTO t VALUES (2)");
    });
    expect(values()).toEqual([2]);
  });

  it("recovers when SQLite rolled the transaction back by itself", () => {
    expect(() =>
      db.transaction((tx) => {
        tx.execute("INSERT INTO t VALUES (1)");
        tx.execute("INSERT OR ROLLBACK INTO t VALUES (1)");
      }),
    ).toThrow(HonkerError);
    expect(db.inTransaction).toBe(false);
    db.transaction((tx) => tx.execute("INSERT INTO t VALUES (7)"));
    expect(values()).toEqual([7]);
  });
});
