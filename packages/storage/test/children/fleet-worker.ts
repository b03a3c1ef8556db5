// Works on the migration of all tenants below the folder given as argument, until it is killed. The second
// argument is the manager's options, as JSON.
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  createSystemDatabase,
  createTenantManager,
  startFleetWorkers,
} from "@alkdev/storage/sqlite";

// a killed process writes no cache
flushCompileCache();
const [root, options] = process.argv.slice(2) as [string, string];
const system = createSystemDatabase(open(join(root, "system.db")));
const tenants = createTenantManager({
  folder: join(root, "tenants"),
  system,
  ...(JSON.parse(options) as object),
});
startFleetWorkers({ tenants, system, claimSeconds: 1 });
process.send?.("working");
