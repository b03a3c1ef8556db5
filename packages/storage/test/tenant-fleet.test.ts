import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openCatalogQueue, tenantCatalog } from "@alkdev/storage/catalog";
import {
  createAcl,
  type FleetWorkersInput,
  startTenantWorkers,
  type TenantDatabase,
  type TenantManager,
  type TenantManagerOptions,
} from "@alkdev/storage/sqlite";
import { eventually } from "@alkdev/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { tenantsSetup } from "./tenants-setup.ts";

const ENQUEUE = fileURLToPath(new URL("./children/enqueue-jobs.ts", import.meta.url));
const run = promisify(execFile);

interface Fleet {
  readonly tenants: TenantManager;
  readonly folder: string;
  start(options?: Partial<FleetWorkersInput>): ReturnType<typeof startTenantWorkers>;
  manager(options?: Partial<TenantManagerOptions>): TenantManager;
  pathOf(orgId: string): string;
}

function fleetOf(count: number, maxOpen: number): Fleet {
  const ids = Array.from({ length: count }, (_, i) => `org-${i}`);
  const { folder, system, manager } = tenantsSetup(ids);
  const tenants = manager({ maxOpen });
  for (const id of ids) tenants.create(id);
  return {
    tenants,
    folder,
    manager,
    pathOf: (orgId) => join(folder, `tenant-${orgId}.db`),
    start: (options = {}) => {
      const workers = startTenantWorkers({ tenants, system, maxActive: 4, ...options });
      onTestFinished(() => workers.stop());
      return workers;
    },
  };
}

const queueOf = (db: TenantDatabase) =>
  openCatalogQueue({ db: db.$client, entries: tenantCatalog.queues }, "graph-maintenance");

function enqueue(tenants: TenantManager, orgId: string, delayMs = 0): void {
  const job = { task: "archive-graph", graphId: "none" } as const;
  tenants.withTenant(orgId, (db) => queueOf(db).enqueue(job, { delayMs }));
}

/** Jobs that were completed in a tenant's file. */
function completed(tenants: TenantManager, orgId: string): number {
  return tenants.withTenant(orgId, ({ $client: client }) => {
    const sql = "SELECT count(*) FROM _alk_job_history WHERE outcome = 'completed'";
    return Number(client.rows(sql)[0]?.[0]);
  });
}

const isQuiet = (workers: { readonly load: object }) =>
  expect.objectContaining({ active: 0, waiting: 0 }).asymmetricMatch(workers.load);

describe("workers of many tenants (M35)", () => {
  test("do the jobs of 300 files with 20 of them open, and then leave them alone", async () => {
    const { tenants, start, pathOf } = fleetOf(300, 20);
    const ids = tenants.list().map(({ orgId }) => orgId);
    for (const orgId of ids) enqueue(tenants, orgId);
    let mostOpen = 0;
    const workers = start();
    const looksAt = tenants.open.bind(tenants);
    let looks = 0;
    tenants.open = (orgId) => {
      looks += 1;
      mostOpen = Math.max(mostOpen, tenants.openFiles.open);
      return looksAt(orgId);
    };
    await eventually("all is done", () => isQuiet(workers) && looks >= 300, 60_000);
    expect(mostOpen).toBeLessThanOrEqual(20);
    tenants.open = looksAt;
    const other = ids.filter((_, i) => i % 60 === 7);
    expect(ids.map((id) => completed(tenants, id))).toEqual(ids.map(() => 1));
    await run(process.execPath, ["--conditions=@alkdev/source", ENQUEUE, ...other.map(pathOf)]);
    await eventually("what another process enqueued is done", () =>
      other.every((orgId) => completed(tenants, orgId) === 2),
    );
    await eventually("all is quiet", () => isQuiet(workers));
    const looked = new Set<string>();
    tenants.open = (orgId) => {
      looked.add(orgId);
      return looksAt(orgId);
    };
    enqueue(tenants, "org-0");
    await eventually("another job is done", () => completed(tenants, "org-0") === 2);
    await eventually("all is quiet again", () => isQuiet(workers));
    // nobody looks at a tenant because it was looked at
    expect([...looked]).toEqual(["org-0"]);
    await workers.stop();
  }, 120_000);

  test("find new tenants, and jobs for later", async () => {
    const { tenants, start } = fleetOf(1, 5);
    tenants.delete("org-0", { confirm: "org-0" });
    const workers = start({ sweepSeconds: 3_600 });
    tenants.undelete("org-0");
    enqueue(tenants, "org-0", 600);
    await eventually("the delayed job is done", () => completed(tenants, "org-0") === 1, 10_000);
    await eventually("it is let go of", () => workers.load.active === 0);
  });

  test("let go of a tenant that is suspended, and go on when it is resumed", async () => {
    const { tenants, start } = fleetOf(2, 5);
    const workers = start();
    await eventually("both were looked at", () => isQuiet(workers));
    tenants.suspend("org-0");
    await tenants.archive("org-1", { waitMs: 5_000 });
    tenants.resume("org-0");
    tenants.unarchive("org-1");
    for (const orgId of ["org-0", "org-1"]) enqueue(tenants, orgId);
    await eventually("both are worked on again", () =>
      ["org-0", "org-1"].every((orgId) => completed(tenants, orgId) === 1),
    );
  });

  test("a tenant with work can be archived: its file is given back", async () => {
    const { tenants, start } = fleetOf(1, 5);
    start({ aclOf: busyAcl, stopTimeoutMs: 100 });
    tenants.withTenant("org-0", (db) => createAcl(db).putPrincipal("account:ada"));
    await tenants.archive("org-0", { waitMs: 20_000 });
    expect(tenants.get("org-0")?.state).toBe("archived");
  });

  test("take turns: a tenant whose jobs never end does not keep its place for ever", async () => {
    const { tenants, start } = fleetOf(2, 5);
    tenants.withTenant("org-0", (db) => createAcl(db).putPrincipal("account:ada"));
    const workers = start({ maxActive: 1, turnMs: 100, aclOf: busyAcl, stopTimeoutMs: 100 });
    await eventually("it is worked on", () => workers.load.active === 1);
    enqueue(tenants, "org-1");
    await eventually("the other one had its turn", () => completed(tenants, "org-1") === 1, 20_000);
  });

  test("stop() resolves though a handler does not end, and its job is given back; twice as once", async () => {
    const { tenants, start } = fleetOf(1, 5);
    tenants.withTenant("org-0", (db) => createAcl(db).putPrincipal("account:ada"));
    const workers = start({ aclOf: busyAcl, stopTimeoutMs: 50 });
    await eventually("the handler runs", () => workers.load.active === 1);
    await Promise.all([workers.stop(), workers.stop()]);
    const stats = tenants.withTenant("org-0", ({ $client }) =>
      $client.queue("acl-evaluation").stats(),
    );
    expect(stats).toMatchObject({ ready: 1, running: 0, dead: 0 });
  });

  test("stop() resolves after the manager and the system database were closed", async () => {
    const { tenants, start } = fleetOf(3, 5);
    for (const { orgId } of tenants.list()) enqueue(tenants, orgId);
    const workers = start();
    tenants.close();
    await workers.stop();
  });

  test("say which file they cannot open, and work on the others", async () => {
    const { tenants, start, folder } = fleetOf(2, 5);
    tenants.evict("org-0");
    const { rmSync } = await import("node:fs");
    rmSync(join(folder, "tenant-org-0.db"));
    enqueue(tenants, "org-1");
    const errors: string[] = [];
    start({ onError: (error, context) => errors.push(`${(error as Error).name} ${context}`) });
    await eventually("the other one is worked on", () => completed(tenants, "org-1") === 1);
    expect(errors).toEqual(['StorageError looking for work of tenant "org-0"']);
  });

  test("two of them over one folder do each job once", async () => {
    const { tenants, start, manager } = fleetOf(30, 5);
    for (const { orgId } of tenants.list()) enqueue(tenants, orgId);
    const both = [start(), start({ tenants: manager({ maxOpen: 5 }) })];
    await eventually(
      "all is done",
      () => tenants.list().every(({ orgId }) => completed(tenants, orgId) === 1),
      20_000,
    );
    await eventually("both are quiet", () => both.every(isQuiet));
    for (const { orgId } of tenants.list()) expect(completed(tenants, orgId)).toBe(1);
  });
});

/** An ACL whose evaluation goes on until it is aborted. */
function busyAcl(db: TenantDatabase) {
  const acl = createAcl(db);
  const endless = {
    *entries(): Generator<readonly [number, string]> {
      for (let at = 0; ; at++) yield [at, "account:ada"];
    },
  };
  return { ...acl, affectedBy: () => endless as never };
}
