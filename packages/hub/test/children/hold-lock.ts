/** Keeps the write lock of a file until its input ends. */
import { readSync, writeSync } from "node:fs";
import { open } from "@alkdev/honker";

const db = open(process.argv[2] ?? "");
db.transaction(() => {
  db.notify("held");
  writeSync(1, "held\n");
  readSync(0, Buffer.alloc(1));
});
db.close();
