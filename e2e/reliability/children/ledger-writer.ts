// Writes entries, says which were acknowledged, and stays alive without closing the file.
import { open } from "@alkdev/honker";
import { LEDGER, writeEntry } from "../entries.ts";
import { print } from "./print.ts";

const [path, extension, durability, count] = process.argv.slice(2) as [
  string,
  string,
  "normal" | "full",
  string,
];
const db = open(path, { extension, durability });
db.execute(LEDGER);
db.checkpoint("truncate");
db.execute("PRAGMA wal_autocheckpoint = 0");
for (let seq = 1; seq <= Number(count); seq++) {
  writeEntry(db, seq, seq % 2 === 0 ? 9_000 : 200);
  print(`acked ${seq}`);
}
print("done");
process.stdin.resume();
