import { readFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  createSystemDatabase,
  createTenantManager,
  type SystemDatabase,
  type TenantManager,
} from "@alkdev/storage/sqlite";
import { tempFolder } from "@alkdev/testkit";
import { type ImportPostgresOptions, type RowReport, seedPostgresHub } from "@alkdev/transfer";
import { onTestFinished } from "vitest";
import { POSTGRES_URL, tempSchema } from "./services.ts";

/** A seeded hub and a place to import it to, both gone when the test ends. */
export async function seededHub(
  rows = 2_000,
): Promise<{ options: ImportPostgresOptions; hub: Awaited<ReturnType<typeof seedPostgresHub>> }> {
  const schema = tempSchema();
  const hub = await seedPostgresHub({ url: POSTGRES_URL, schema, rows });
  return { hub, options: { url: POSTGRES_URL, schema, ...place() } };
}

/** Where an import goes. */
export function place(): Pick<ImportPostgresOptions, "out" | "rowsPath"> {
  const folder = tempFolder();
  return {
    out: { systemPath: join(folder, "system.db"), tenantsFolder: join(folder, "tenants") },
    rowsPath: join(folder, "rows.ndjson"),
  };
}

/** Opens what was imported, until the test ends. */
export function opened({ out }: Pick<ImportPostgresOptions, "out">): {
  system: SystemDatabase;
  tenants: TenantManager;
} {
  const client = open(out.systemPath);
  const system = createSystemDatabase(client);
  const tenants = createTenantManager({ folder: out.tenantsFolder, system });
  onTestFinished(() => {
    tenants.close();
    client.close();
  });
  return { system, tenants };
}

/** The lines of a report of rows. */
export function rowReports(path: string): RowReport[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}
