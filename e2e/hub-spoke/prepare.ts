import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  createAccount,
  createApiKey,
  createOrganization,
  createSystemDatabase,
  createTenantManager,
} from "@alkdev/storage/sqlite";

/** A folder of a hub with one organisation, `acme`. Returns the key of its owner. */
export function prepareHub(dataFolder: string): string {
  mkdirSync(dataFolder, { recursive: true });
  const system = createSystemDatabase(open(join(dataFolder, "system.db")));
  const tenants = createTenantManager({ folder: join(dataFolder, "tenants"), system });
  createAccount(system, { id: "owner", email: "owner@example.com" });
  const { key } = createApiKey(system, { ownerId: "owner" });
  createOrganization(system, { id: "acme", name: "acme", slug: "acme", ownerId: "owner" });
  tenants.create("acme");
  tenants.close();
  system.$client.close();
  return key;
}
