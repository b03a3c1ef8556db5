// Backs one file up, page by page, until it is killed.
import { open } from "@alkdev/honker";
import { print } from "./print.ts";

const [path, extension, destination] = process.argv.slice(2) as [string, string, string];
const db = open(path, { extension });
print("ready");
await db.backup(destination, {
  pagesPerStep: 20,
  onProgress: ({ remainingPages }) => print(`remaining ${remainingPages}`),
});
print("finished");
