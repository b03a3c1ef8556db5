// Works on the migration of all tenants below the folder given as argument until it is told to stop.
import { once } from "node:events";
import { startFleetWorkers } from "@alkdev/storage/sqlite";
import { openFleet } from "./fleet.ts";

const { system, tenants } = openFleet(process.argv[2] as string, "after");
const workers = startFleetWorkers({ system, tenants });
process.send?.("working");
await once(process, "message");
await workers.stop();
tenants.close();
system.$client.close();
process.disconnect?.();
