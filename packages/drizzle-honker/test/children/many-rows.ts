// Reads 1,000 rows, and says whether code can be generated from strings.
import { open } from "@alkdev/honker";
import { drizzle } from "drizzle-honker";
import { integer, sqliteTable } from "drizzle-orm/sqlite-core";

const numbers = sqliteTable("numbers", { i: integer(), even: integer({ mode: "boolean" }) });
const client = open(":memory:");
client.execute("CREATE TABLE numbers (i INTEGER, even INTEGER)");
client.execute(
  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO numbers SELECT i, i % 2 = 0 FROM n",
);
const rows = drizzle(client).select().from(numbers).all();
let forbidden = false;
try {
  new Function("return 1");
} catch {
  forbidden = true;
}
process.stdout.write(JSON.stringify({ forbidden, rows: rows.length, last: rows.at(-1) }));
client.close();
