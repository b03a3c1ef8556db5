// Writes under a limit of file size until the system refuses, lifts the limit, and goes on.
import { execFileSync } from "node:child_process";
import { HonkerError, open } from "@alkdev/honker";
import { committedEntries, LEDGER, writeEntry } from "../entries.ts";
import { print } from "./print.ts";

const [path, extension] = process.argv.slice(2) as [string, string];
const db = open(path, { extension });
db.execute(LEDGER);
let seq = 0;
try {
  for (;;) {
    writeEntry(db, seq + 1, 20_000);
    seq += 1;
  }
} catch (error) {
  if (!(error instanceof HonkerError)) throw error;
  print(`refused ${error.code}`);
}
if ((await committedEntries(db)) !== seq) throw new Error("a refused commit left something behind");
execFileSync("prlimit", ["--pid", String(process.pid), "--fsize=unlimited"]);
for (let i = 0; i < 5; i++) writeEntry(db, ++seq, 20_000);
print(`entries ${await committedEntries(db)} of ${seq}`);
db.close();
