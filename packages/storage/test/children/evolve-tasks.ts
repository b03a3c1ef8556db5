// Evolves the tasks in the file given as argument, and kills itself right after its n-th commit.
import { open } from "@alkdev/honker";
import { createTenantDatabase, evolveGraphType } from "@alkdev/storage/sqlite";
import { countUp, TasksV4 } from "../evolve-tasks.ts";

const [path, dieAt] = process.argv.slice(2) as [string, string];
using client = open(path);
const tenant = createTenantDatabase(client);
let commits = 0;
client.onCommit(() => {
  commits += 1;
  if (commits === Number(dieAt)) process.kill(process.pid, "SIGKILL");
});
process.send?.("ready");
const { migrated } = await evolveGraphType(tenant, TasksV4, { migrations: countUp, batchSize: 20 });
process.send?.(migrated);
process.disconnect?.();
