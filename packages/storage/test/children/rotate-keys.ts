// Works off the queues of the system file given as argument, appending delivered keys to the file of the
// second, and kills itself after its n-th delivery or right after its n-th commit.
import { appendFileSync } from "node:fs";
import { open } from "@alkdev/honker";
import { openCatalogQueue, systemCatalog } from "@alkdev/storage/catalog";
import { createKeyManagementHandler, createSystemDatabase } from "@alkdev/storage/sqlite";

const [path, vault, when, dieAt] = process.argv.slice(2) as [string, string, string, string];
let count = 0;
function passed(point: string): void {
  if (point !== when) return;
  count += 1;
  if (count === Number(dieAt)) process.kill(process.pid, "SIGKILL");
}

const client = open(path);
const system = createSystemDatabase(client);
client.onCommit(({ tables }) => {
  if (tables.has("api_keys")) passed("commit");
});
const source = { db: client, entries: systemCatalog.queues };
const queue = openCatalogQueue(source, "key-management", { visibilityTimeoutSeconds: 1 });
queue.work(
  createKeyManagementHandler(system, ({ key, oldKeyId }) => {
    appendFileSync(vault, `${oldKeyId} ${key}\n`);
    passed("delivery");
  }),
);
