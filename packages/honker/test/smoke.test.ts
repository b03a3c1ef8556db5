import { FakeClock, tempDatabase } from "@alkdev/testkit";
import { expect, it } from "vitest";

it("commits and rolls back", async () => {
  const db = tempDatabase({ clock: new FakeClock() });
  expect(db.hasExtension).toBe(true);
  db.execute("create table t(x)");
  const l = db.listen("c");
  db.transaction((tx) => { tx.execute("insert into t values (1)"); tx.notify("c", { a: 1 }); db.notify("c", { a: 2 }); });
  expect(() => db.transaction((tx) => { tx.notify("c", { a: 3 }); throw new Error("x"); })).toThrow("x");
  // @ts-expect-error async refused
  expect(() => db.transaction(async (tx) => { tx.notify("c", { a: 4 }); })).toThrow(/promise/);
  const n: number = db.transaction((tx) => tx.notify("c", { a: 5 }));
  expect(n).toBeGreaterThan(0);
  db.query("select notify('c', '{\"a\":6}')");
  const got: unknown[] = [];
  for await (const m of l) { got.push(m.payload); if (got.length === 4) break; }
  expect(got).toEqual([{ a: 1 }, { a: 2 }, { a: 5 }, { a: 6 }]);
  expect(db.query("select count(*) c from t")).toEqual([{ c: 1 }]);
});
