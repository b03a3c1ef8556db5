import { HonkerError } from "@alkdev/honker";
import { eventually, tempDatabase } from "@alkdev/testkit";
import { DrizzleHonkerError, drizzle, type HonkerSQLiteTransaction } from "drizzle-honker";
import { eq, sql } from "drizzle-orm";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";

const users = sqliteTable("users", {
  id: integer().primaryKey(),
  name: text().notNull().unique(),
});
const schema = { users };

function setup() {
  const client = tempDatabase();
  client.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)");
  const db = drizzle(client, { schema });
  const names = () =>
    db
      .select({ name: users.name })
      .from(users)
      .all()
      .map(({ name }) => name);
  return { client, db, names };
}

function errorOf(work: () => unknown): Error & { code?: string } {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

describe("M16: a transaction callback", () => {
  it("is refused when it is async, and what it wrote is rolled back", async () => {
    const { db, names } = setup();
    const run = () =>
      // @ts-expect-error an async callback is a type error too
      db.transaction(async (tx) => void tx.insert(users).values({ name: "a" }).run());
    expect(errorOf(run)).toMatchObject({ name: "HonkerError", code: "ASYNC_TRANSACTION" });
    expect(names()).toEqual([]);
  });

  it("is refused when it returns a query that was not run, which is not run later either", async () => {
    const { db, names } = setup();
    const run = () => {
      // @ts-expect-error a query is a promise too
      db.transaction((tx) => tx.insert(users).values({ name: "a" }));
    };
    const error = errorOf(run);
    expect(error).toBeInstanceOf(DrizzleHonkerError);
    expect(error).toMatchObject({ code: "QUERY_NOT_RUN" });
    expect(error.message).toContain(".run()");
    await Promise.resolve();
    expect(names()).toEqual([]);
  });

  it("is refused for each kind of query it could return", () => {
    const { db, names } = setup();
    const kinds: ((tx: HonkerSQLiteTransaction<typeof schema>) => unknown)[] = [
      (tx) => tx.select().from(users),
      (tx) => tx.update(users).set({ name: "x" }),
      (tx) => tx.delete(users),
      (tx) => tx.query.users.findMany(),
    ];
    for (const kind of kinds) {
      const run = () =>
        db.transaction((tx) => {
          tx.insert(users).values({ name: "a" }).run();
          return kind(tx);
        });
      expect(errorOf(run)).toMatchObject({ code: "QUERY_NOT_RUN" });
    }
    expect(names()).toEqual([]);
  });

  it("rolls everything back when it throws, and the error is the one thrown", () => {
    const { db, names } = setup();
    const mine = new Error("mine");
    const run = () =>
      db.transaction((tx) => {
        tx.insert(users).values({ name: "a" }).run();
        throw mine;
      });
    expect(errorOf(run)).toBe(mine);
    expect(names()).toEqual([]);
  });

  it("rolls back with tx.rollback(), which throws", () => {
    const { db, names } = setup();
    const run = () =>
      db.transaction((tx) => {
        tx.insert(users).values({ name: "a" }).run();
        tx.rollback();
      });
    expect(errorOf(run).name).toBe("DrizzleError");
    expect(names()).toEqual([]);
  });

  it("leaves a handle that refuses to work afterwards, instead of committing by itself", async () => {
    const { db, names } = setup();
    let leaked: HonkerSQLiteTransaction<typeof schema> | undefined;
    db.transaction((tx) => {
      leaked = tx;
    });
    const tx = leaked as HonkerSQLiteTransaction<typeof schema>;
    const insert = () => tx.insert(users).values({ name: "late" });
    expect(errorOf(() => insert().run())).toMatchObject({ code: "TRANSACTION_STATE" });
    await expect(insert()).rejects.toMatchObject({ code: "TRANSACTION_STATE" });
    expect(errorOf(() => tx.run(sql`delete from users`))).toMatchObject({
      code: "TRANSACTION_STATE",
    });
    expect(errorOf(() => tx.transaction(() => 1))).toMatchObject({ code: "TRANSACTION_STATE" });
    expect(errorOf(() => tx.batch([insert()]))).toMatchObject({ code: "TRANSACTION_STATE" });
    expect(errorOf(() => tx.query.users.findMany().sync())).toMatchObject({
      code: "TRANSACTION_STATE",
    });
    expect(() => tx.$count(users).sync()).toThrow("has ended");
    expect(errorOf(() => tx.$honkerTx.notify("c"))).toMatchObject({ code: "TRANSACTION_STATE" });
    expect(names()).toEqual([]);
  });

  it("leaves prepared queries that refuse to work afterwards", () => {
    const { db } = setup();
    const query = db.transaction((tx) => tx.select().from(users).prepare() as { all(): unknown });
    expect(errorOf(() => query.all())).toMatchObject({ code: "TRANSACTION_STATE" });
  });

  it("returns what it returns, and gets the newest data", () => {
    const { db } = setup();
    const result = db.transaction((tx) => {
      tx.insert(users)
        .values([{ name: "a" }, { name: "b" }])
        .run();
      return tx.$count(users).sync();
    });
    expect(result).toBe(2);
  });
});

describe("M16: nested transactions", () => {
  it("roll back the middle of three alone, with what was inside it", () => {
    const { db, names } = setup();
    db.transaction((tx) => {
      tx.insert(users).values({ name: "outer" }).run();
      expect(() =>
        tx.transaction((middle) => {
          middle.insert(users).values({ name: "middle" }).run();
          middle.transaction((inner) => inner.insert(users).values({ name: "inner" }).run());
          throw new Error("middle");
        }),
      ).toThrow("middle");
      tx.transaction((other) => other.insert(users).values({ name: "other" }).run());
    });
    expect(names()).toEqual(["outer", "other"]);
  });

  it("keep the inner handle from working after its savepoint ended, while the outer works", () => {
    const { db, names } = setup();
    db.transaction((tx) => {
      let leaked: typeof tx | undefined;
      tx.transaction((inner) => {
        leaked = inner;
        // the outer handle joins the savepoint
        tx.insert(users).values({ name: "through the outer handle" }).run();
      });
      expect(() => leaked?.insert(users).values({ name: "late" }).run()).toThrow("has ended");
      tx.insert(users).values({ name: "after" }).run();
    });
    expect(names()).toEqual(["through the outer handle", "after"]);
  });

  it("are what db.transaction() inside a transaction is", () => {
    const { db, names } = setup();
    db.transaction((tx) => {
      tx.insert(users).values({ name: "kept" }).run();
      expect(() =>
        db.transaction((inner) => {
          expect(inner.$honkerTx.depth).toBe(1);
          inner.insert(users).values({ name: "dropped" }).run();
          inner.rollback();
        }),
      ).toThrow("Rollback");
    });
    expect(names()).toEqual(["kept"]);
  });

  it("survive a constraint error that was caught", () => {
    const { db, names } = setup();
    db.transaction((tx) => {
      tx.insert(users).values({ name: "a" }).run();
      expect(errorOf(() => tx.insert(users).values({ name: "a" }).run())).toMatchObject({
        code: "CONSTRAINT",
      });
      tx.insert(users).values({ name: "b" }).run();
    });
    expect(names()).toEqual(["a", "b"]);
  });
});

describe("M16: a transaction shared with the engine", () => {
  it("takes in writes through the outer db and through the engine's own handle", () => {
    const { db, client, names } = setup();
    expect(() =>
      db.transaction(() => {
        db.insert(users).values({ name: "outer db" }).run();
        client.execute("INSERT INTO users (name) VALUES ('engine')");
        expect(names()).toEqual(["outer db", "engine"]);
        throw new Error("roll back");
      }),
    ).toThrow("roll back");
    expect(names()).toEqual([]);
  });

  it("is the one that was begun with the engine or with raw SQL", () => {
    const { db, client, names } = setup();
    client.transaction((tx) => {
      db.insert(users).values({ name: "a" }).run();
      expect(db.transaction((inner) => inner.$honkerTx.depth)).toBe(tx.depth + 1);
    });
    db.run(sql`begin`);
    db.insert(users).values({ name: "b" }).run();
    db.run(sql`rollback`);
    expect(names()).toEqual(["a"]);
  });

  it("delivers a notification on commit and drops it on rollback, with the data", async () => {
    const { db, client, names } = setup();
    using listener = { received: [] as unknown[], [Symbol.dispose]: () => sequence.close() };
    const sequence = client.listen("users");
    const done = (async () => {
      for await (const { payload } of sequence) listener.received.push(payload);
    })();
    expect(() =>
      db.transaction((tx) => {
        tx.insert(users).values({ name: "dropped" }).run();
        tx.$honkerTx.notify("users", "dropped");
        tx.rollback();
      }),
    ).toThrow();
    db.transaction((tx) => {
      tx.insert(users).values({ name: "kept" }).run();
      tx.$honkerTx.notify("users", "kept");
    });
    await eventually("the notification is delivered", () => listener.received.length > 0);
    expect(listener.received).toEqual(["kept"]);
    expect(names()).toEqual(["kept"]);
    sequence.close();
    await done;
  });

  it("calls afterCommit hooks once, after the commit, and not after a rollback", () => {
    const { db } = setup();
    const calls: string[] = [];
    db.transaction((tx) => {
      tx.transaction((inner) => {
        inner.$honkerTx.afterCommit(() =>
          calls.push(`in transaction: ${db.$client.inTransaction}`),
        );
      });
      expect(() =>
        tx.transaction((inner) => {
          inner.$honkerTx.afterCommit(() => calls.push("rolled back"));
          inner.rollback();
        }),
      ).toThrow();
      expect(calls).toEqual([]);
    });
    expect(calls).toEqual(["in transaction: false"]);
  });

  it.each(["deferred", "immediate", "exclusive"] as const)(
    "begins %s when asked to",
    (behavior) => {
      const { db, names } = setup();
      db.transaction((tx) => tx.insert(users).values({ name: behavior }).run(), { behavior });
      expect(names()).toEqual([behavior]);
    },
  );
});

describe("M15: batch", () => {
  it("runs its queries in order, and returns a result for each", () => {
    const { db } = setup();
    const [inserted, returned, all, found] = db.batch([
      db.insert(users).values({ name: "a" }),
      db.insert(users).values({ name: "b" }).returning({ id: users.id }),
      db.select().from(users),
      db.query.users.findFirst({ where: eq(users.name, "b") }),
    ]);
    expect(inserted).toEqual({ changes: 1, lastInsertRowid: 1 });
    expect(returned).toEqual([{ id: 2 }]);
    expect(all).toEqual([
      { id: 1, name: "a" },
      { id: 2, name: "b" },
    ]);
    expect(found).toEqual({ id: 2, name: "b" });
  });

  it("writes nothing when one of them fails", () => {
    const { db, names } = setup();
    const run = () =>
      db.batch([db.insert(users).values({ name: "a" }), db.insert(users).values({ name: "a" })]);
    expect(errorOf(run)).toBeInstanceOf(HonkerError);
    expect(names()).toEqual([]);
  });
});
