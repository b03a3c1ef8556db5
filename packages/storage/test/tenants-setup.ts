import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  accounts,
  createSystemDatabase,
  createTenantManager,
  organizations,
  type SystemDatabase,
  type TenantManager,
  type TenantManagerOptions,
} from "@alkdev/storage/sqlite";
import { tempFolder } from "@alkdev/testkit";
import { expect, onTestFinished } from "vitest";

/** A system database with organisations, and a folder for tenants. */
export interface TenantsSetup {
  readonly folder: string;
  readonly system: SystemDatabase;
  /** Another manager over the same folder; closed when the test ends. */
  manager(options?: Partial<TenantManagerOptions>): TenantManager;
}

/** Makes a setup that is closed and removed when the running test ends; slugs equal ids in lower case. */
export function tenantsSetup(orgIds: readonly string[] = ["acme", "globex"]): TenantsSetup {
  const root = tempFolder();
  const folder = join(root, "tenants");
  const system = createSystemDatabase(open(join(root, "system.db")));
  onTestFinished(() => system.$client.close());
  insertOrganizations(system, orgIds);
  return {
    folder,
    system,
    manager: (options = {}) => {
      const manager = createTenantManager({ folder, system, ...options });
      onTestFinished(() => manager.close());
      return manager;
    },
  };
}

/** Inserts organisations of one account. */
export function insertOrganizations(system: SystemDatabase, orgIds: readonly string[]): void {
  const owner = { id: "owner", email: "owner@example.com", displayName: "Owner" };
  system
    .insert(accounts)
    .values({ ...owner, accessLevel: "user" })
    .onConflictDoNothing()
    .run();
  for (const id of orgIds) {
    const slug = slugOf(id);
    system.insert(organizations).values({ id, name: id, slug, ownerId: "owner" }).run();
  }
}

/** The slug that {@link insertOrganizations} gives. */
export function slugOf(orgId: string): string {
  return orgId.toLowerCase().replaceAll("_", "-");
}

/** What `expect(…).toThrow` is given for an error of this code. */
export function withCode(code: string, message = ""): unknown {
  return expect.objectContaining({ code, message: expect.stringContaining(message) });
}
