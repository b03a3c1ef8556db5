// Works on the migration of all tenants below the folder given as argument, until it is killed.
import { flushCompileCache } from "node:module";
import { startFleetWorkers } from "@alkdev/storage/sqlite";
import { openTenants } from "../tenants.ts";

flushCompileCache();
startFleetWorkers({ ...openTenants(process.argv[2] as string, "after"), claimSeconds: 2 });
process.send?.("working");
