import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  createAccount,
  createApiKey,
  createOrganization,
  createSystemDatabase,
  createTenantManager,
  listApiKeys,
  organizations,
  registerGraphType,
  revokeApiKey,
  type SystemDatabase,
} from "@alkdev/storage/sqlite";
import { eq } from "drizzle-orm";
import { PackageGraph } from "../package-graph/graph-type.ts";

const DEMO = "demo";
/** Names of keys, so that they are found again. */
const SHOWN_KEY = "shown at the first start";
const RUN_KEY = "of one run of npm start";

/**
 * Makes the account and organisation "demo", its tenant, and the graph type of packages, as far as they are
 * not there. Killed anywhere, the next start does the rest.
 */
export function prepareDemo(dataFolder: string): void {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  using client = open(join(dataFolder, "system.db"));
  const system = createSystemDatabase(client);
  system.transaction(() => {
    if (system.select().from(organizations).where(eq(organizations.id, DEMO)).get()) return;
    createAccount(system, { id: DEMO, email: "demo@example.com", accessLevel: "admin" });
    createOrganization(system, { id: DEMO, name: "Demo", slug: DEMO, ownerId: DEMO });
  });
  using tenants = createTenantManager({ folder: join(dataFolder, "tenants"), system });
  if (tenants.get(DEMO) === null) tenants.create(DEMO);
  tenants.withTenant(DEMO, (db) => void registerGraphType(db, PackageGraph));
}

/** A key for whoever reads the terminal, made at the first start; null later: it is stored nowhere. */
export function demoKey(system: SystemDatabase): string | null {
  if (keysNamed(system, SHOWN_KEY).length > 0) return null;
  return createApiKey(system, { ownerId: DEMO, name: SHOWN_KEY }).key;
}

/** A key for this run, revoked at its end; one that a killed run left is revoked now. */
export function openRunKey(system: SystemDatabase): Disposable & { readonly key: string } {
  const revokeAll = (): void => {
    for (const { id } of keysNamed(system, RUN_KEY)) revokeApiKey(system, id);
  };
  revokeAll();
  const { key } = createApiKey(system, { ownerId: DEMO, name: RUN_KEY, orgId: DEMO });
  return { key, [Symbol.dispose]: revokeAll };
}

function keysNamed(system: SystemDatabase, wanted: string): readonly { readonly id: string }[] {
  return listApiKeys(system, { ownerId: DEMO, limit: 10_000 }).items.filter(
    ({ name, revokedAt }) => name === wanted && revokedAt === null,
  );
}
