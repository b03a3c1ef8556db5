import { tempDatabase } from "@alkdev/testkit";
import { drizzle, int64 } from "drizzle-honker";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

const users = sqliteTable("users", { id: integer().primaryKey(), name: text(), big: int64() });
const db = drizzle(tempDatabase(), { schema: { users } });
const n: number = db.transaction((tx) => {
  tx.insert(users).values({ name: "a" }).run();
  tx.$honkerTx.notify("a", 1);
  return 3;
});
// @ts-expect-error
db.transaction(async (tx) => {
  tx.insert(users).values({ name: "a" }).run();
});
// @ts-expect-error
db.transaction((tx) => tx.insert(users).values({ name: "a" }));
db.transaction((tx) => {
  tx.transaction((inner) => inner.select().from(users).all());
});
const [a, b] = db.batch([db.select().from(users), db.insert(users).values({})]);
for (const row of db.iterate(db.select().from(users))) {
  const x: string | null = row.name;
  x;
}
const big: bigint | null = db.select().from(users).get()!.big;
a[0]!.name;
b.changes;
n;
big;
db.$client.notify("a", 1);
