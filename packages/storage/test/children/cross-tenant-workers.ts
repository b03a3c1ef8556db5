// Works on the outboxes of the tenants below the folder given as first argument until it is killed or told to
// stop. Tells its parent when it has begun.
import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  createCrossTenantDelegations,
  createSystemDatabase,
  createTenantManager,
  startTenantWorkers,
} from "@alkdev/storage/sqlite";

const root = process.argv[2] as string;
const system = createSystemDatabase(open(join(root, "system.db")));
const tenants = createTenantManager({ folder: join(root, "tenants"), system });
const { queues } = createCrossTenantDelegations({ tenants, baseBackoffMs: 1 });
const workers = startTenantWorkers({ tenants, system, otherQueues: queues, schedules: [] });
process.once("message", async () => {
  await workers.stop();
  tenants.close();
  system.$client.close();
  process.disconnect();
});
process.send?.("ready");
