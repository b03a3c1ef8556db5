import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  createAccount,
  createApiKey,
  createOrganization,
  createSystemDatabase,
  createTenantManager,
} from "@alkdev/storage/sqlite";

/** Adds an organisation, `globex`, to the folder of a hub that does not run. Returns its owner's key. */
export function addNeighbour(dataFolder: string): string {
  const system = createSystemDatabase(open(join(dataFolder, "system.db")));
  const tenants = createTenantManager({ folder: join(dataFolder, "tenants"), system });
  createAccount(system, { id: "neighbour", email: "neighbour@example.com" });
  const { key } = createApiKey(system, { ownerId: "neighbour" });
  createOrganization(system, {
    id: "globex",
    name: "globex",
    slug: "globex",
    ownerId: "neighbour",
  });
  tenants.create("globex");
  tenants.close();
  system.$client.close();
  return key;
}
