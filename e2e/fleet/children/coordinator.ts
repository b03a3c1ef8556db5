// Begins a migration of all tenants below the folder given as argument, or goes on with it.
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { runFleetMigration } from "@alkdev/storage/sqlite";
import { openTenants } from "../tenants.ts";

flushCompileCache();
const root = process.argv[2] as string;
const { system, tenants } = openTenants(root, "after");
process.send?.("working");
await runFleetMigration({
  tenants,
  system,
  backup: { folder: join(root, "before") },
  canaries: 3,
  check: (db) => void db.$client.rows("SELECT count(*) FROM tasks"),
  maxFailures: Number.POSITIVE_INFINITY,
  concurrency: 0,
});
tenants.close();
system.$client.close();
