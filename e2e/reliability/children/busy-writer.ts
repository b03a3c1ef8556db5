// Writes entries until it is killed: some thousand a second, then slower, so that the file stays small.
import { open } from "@alkdev/honker";
import { LEDGER, writeEntry } from "../entries.ts";
import { OPTIONS } from "../parts.ts";
import { print } from "./print.ts";

const [path, extension] = process.argv.slice(2) as [string, string];
const db = open(path, { ...OPTIONS, extension });
db.execute(LEDGER);
print("ready");
for (let seq = 1; ; seq++) {
  writeEntry(db, seq, 2_000);
  if (seq === 200) print("200 entries");
  if (seq % 4 === 0) await new Promise((resolve) => setTimeout(resolve, seq < 2_000 ? 1 : 25));
}
