// Takes the write lock when told to "hold", and lets it go when told to "let go".
import { createInterface } from "node:readline";
import { open, type Transaction } from "@alkdev/honker";
import { print } from "./print.ts";

const [path, extension] = process.argv.slice(2) as [string, string];
const db = open(path, { extension });
let tx: Transaction | undefined;
print("ready");
for await (const command of createInterface({ input: process.stdin })) {
  if (command === "hold") tx = db.transaction();
  if (command === "let go") tx?.rollback();
  if (command === "commit something") db.notify("other", 1);
  print(`did ${command}`);
}
