// A hub with one organisation, and the key of its owner. What it needs is one call.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { startHub } from "@alkdev/hub";
import {
  createAccount,
  createApiKey,
  createOrganization,
  createSystemDatabase,
  createTenantManager,
} from "@alkdev/storage/sqlite";

const dataFolder = process.argv[2] as string;
mkdirSync(dataFolder, { recursive: true });
const system = createSystemDatabase(open(join(dataFolder, "system.db")));
const tenants = createTenantManager({ folder: join(dataFolder, "tenants"), system });
const owner = createAccount(system, { email: "ada@example.com" });
const acme = createOrganization(system, { name: "Acme", slug: "acme", ownerId: owner.id });
tenants.create(acme.id);
const { key } = createApiKey(system, { ownerId: owner.id });
tenants.close();

// a call waits for a spoke that is away; a busy machine may take long to start its process
const limits = { callTimeoutMs: 60_000, spokeWaitMs: 60_000 };
const hub = await startHub({ dataFolder, port: 0, workers: false, limits });
process.send?.({ kind: "listening", url: hub.url, key });
process.once("disconnect", () => void hub.stop().then(() => process.exit()));
