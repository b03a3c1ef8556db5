import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openCatalogQueue, systemCatalog, tenantCatalog } from "@alkdev/storage/catalog";
import { eventually, tempFolder } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { testHub } from "./hub-fixture.ts";

describe("workers of a hub (M35, M36, M33)", () => {
  it("work on the queues of system.db and of the tenants, and back tenants up", async () => {
    const folder = join(tempFolder(), "backups");
    const { hub, errors } = await testHub({ workers: { backups: { folder } } });
    const { system, tenants } = hub.core;
    const ofSystem = { db: system.$client, entries: systemCatalog.queues };
    openCatalogQueue(ofSystem, "tenant-backup").enqueue({ task: "back-up-all" });
    tenants.withTenant("acme", ({ $client: db }) => {
      const queue = openCatalogQueue({ db, entries: tenantCatalog.queues }, "graph-maintenance");
      queue.enqueue({ task: "prune-events" });
    });
    const backedUp = () =>
      existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : [];
    await eventually(
      "both tenants are backed up",
      () => ["acme", "globex"].every((id) => backedUp().some((name) => name.includes(id))),
      20_000,
    );
    await eventually(
      "the queue of the tenant is empty",
      () =>
        tenants.withTenant("acme", ({ $client }) => $client.queue("graph-maintenance").stats())
          .pending === 0,
      20_000,
    );
    await hub.stop();
    expect(errors).toEqual([]);
  });
});
