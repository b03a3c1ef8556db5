// Opens a file as a user without rights to it, tries to write, and prints the codes of the errors.
import { HonkerError, open } from "@alkdev/honker";
import { print } from "./print.ts";

const [path, extension] = process.argv.slice(2) as [string, string];
// the driver's native part is loaded while it still may be read
open(":memory:", { extension }).close();
if (process.getuid?.() === 0) {
  process.setgid?.(65_534);
  process.setuid?.(65_534);
}
try {
  const db = open(path, { extension });
  db.notify("hello", 1);
  db.close();
  print("written");
} catch (error) {
  if (!(error instanceof HonkerError)) throw error;
  print(`refused ${error.code} ${error.message}`);
}
