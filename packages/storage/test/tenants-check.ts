import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { TenantManager } from "@alkdev/storage/sqlite";
import { expect } from "vitest";

/** Checks that rows and files of tenants agree: nothing half, nothing lost, nothing too much. */
export async function checkTenantFiles(tenants: TenantManager, folder: string): Promise<void> {
  const expected: Record<"live" | "archive", string[]> = { live: [], archive: [] };
  for (const tenant of tenants.list()) {
    expect(tenant).toMatchObject({ operation: null });
    expect(["active", "suspended", "archived", "deleting"]).toContain(tenant.state);
    const isLive = existsSync(join(folder, tenant.file));
    if (tenant.state === "archived") expect(isLive).toBe(false);
    if (tenant.state === "active" || tenant.state === "suspended") expect(isLive).toBe(true);
    expected[isLive ? "live" : "archive"].push(tenant.file);
    if (tenant.state !== "active") continue;
    using handle = tenants.open(tenant.orgId);
    expect((await handle.db.$client.integrityCheck()).ok).toBe(true);
    handle.close();
    expect(tenants.evict(tenant.orgId)).toBe(true);
  }
  const files = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();
  // the log of a killed process belongs to its file, and stays with one that nobody opened since
  const owners = new Set(files(folder).map((name) => name.replace(/-(wal|shm|journal)$/, "")));
  expect([...owners]).toEqual(expected.live.sort());
  expect(files(join(folder, "archive"))).toEqual(expected.archive.sort());
  expect(files(join(folder, "tmp"))).toEqual([]);
}
