// Migrates the tenant "acme" below the folder given as argument while it is in use, and kills itself at once
// afterwards: the migration is in the log beside the file. The second argument is the manager's options.
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { createSystemDatabase, createTenantManager } from "@alkdev/storage/sqlite";

const [root, options] = process.argv.slice(2) as [string, string];
const system = createSystemDatabase(open(join(root, "system.db")));
const tenants = createTenantManager({
  folder: join(root, "tenants"),
  system,
  ...(JSON.parse(options) as object),
});
tenants.open("acme");
await tenants.migrate("acme");
process.kill(process.pid, "SIGKILL");
