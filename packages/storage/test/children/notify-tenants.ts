// Sends one notification in each of the tenants below the folder given as argument.
import { join } from "node:path";
import { open } from "@alkdev/honker";

const [folder, ...ids] = process.argv.slice(2) as [string, ...string[]];
for (const id of ids) {
  using client = open(join(folder, `tenant-${id}.db`));
  client.notify("hello", { id });
}
