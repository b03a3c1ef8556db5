import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openCatalogQueue, systemCatalog } from "@alkdev/storage/catalog";
import {
  abortFleetMigration,
  type FleetMigrationOptions,
  type FleetProgress,
  findSchemaDrift,
  fleetStatus,
  graphs,
  listFleetTenants,
  pauseFleetMigration,
  planFleetMigration,
  resumeFleetMigration,
  runFleetMigration,
  startFleetWorkers,
} from "@alkdev/storage/sqlite";
import { eventually } from "@alkdev/testkit";
import { describe, expect, test } from "vitest";
import { nextVersion } from "./fleet-fixture.ts";
import { slugOf, tenantsSetup, withCode } from "./tenants-setup.ts";

const IDS = ["a", "b", "c", "d", "e"];
/** Fails where two graphs have one name. */
const next = () => nextVersion(["CREATE UNIQUE INDEX graphs_name ON graphs (name)"]);

/** Tenants of the version before, and a program of the next one. */
function fleet(ids: readonly string[] = IDS) {
  const setup = tenantsSetup(ids);
  const old = setup.manager();
  const { version: before } = ids.map((id) => old.create(id))[0] ?? {};
  old.close();
  const { system, manager, folder } = setup;
  const tenants = manager({ ...next(), olderFiles: "serve" });
  const backups = join(folder, "..", "before");
  const run = (options: Partial<FleetMigrationOptions> = {}) =>
    runFleetMigration({
      tenants,
      system,
      backup: { folder: backups },
      claimSeconds: 2,
      ...options,
    });
  const addGraphs = (id: string, ...names: string[]) =>
    tenants.withTenant(id, (db) => {
      db.insert(graphs)
        .values(names.map((name) => ({ name })))
        .run();
    });
  const versions = () => ids.map((id) => tenants.versionOf(id).schema - (before?.schema ?? 0));
  return { ...setup, tenants, run, addGraphs, versions, backups, before };
}

const statuses = (system: Parameters<typeof listFleetTenants>[0]) =>
  listFleetTenants(system).map(({ orgId, status }) => `${orgId} ${status}`);

describe("planning a migration of all tenants (M34)", () => {
  test("says who is at which version, and looks into files only where it must", async () => {
    const { tenants, system, before, run } = fleet([...IDS, "f", "g"]);
    await tenants.migrate("a");
    await tenants.archive("b");
    tenants.suspend("c");
    tenants.delete("d", { confirm: slugOf("d") });
    const set = "UPDATE _alk_tenants SET schema_version = ? WHERE org_id = ?";
    system.$client.execute(set, [99, "e"]);
    system.$client.execute(set, [null, "f"]);
    const target = tenants.newestVersion;
    expect(await planFleetMigration({ tenants })).toEqual({
      target,
      current: 1,
      behind: [
        { orgId: "c", state: "suspended", version: before },
        { orgId: "f", state: "active", version: before },
        { orgId: "g", state: "active", version: before },
      ],
      newer: [{ orgId: "e", state: "active", version: { schema: 99, app: 0 } }],
      away: ["b", "d"],
      unreadable: [],
    });
    const looked = await planFleetMigration({ tenants, look: "all" });
    expect(looked.newer).toEqual([]);
    expect(looked.behind.map(({ orgId }) => orgId)).toEqual(["c", "e", "f", "g"]);
    await run({ backup: false });
    tenants.undelete("d");
    expect((await planFleetMigration({ tenants })).behind).toMatchObject([{ orgId: "d" }]);
  });

  test("names tenants whose file cannot be read, and goes on", async () => {
    const { tenants, system, folder } = fleet();
    writeFileSync(
      join(folder, "tenant-b.db"),
      "no database at all, and long enough to be read as one",
    );
    const { unreadable, behind } = await planFleetMigration({ tenants, look: "all" });
    expect(unreadable).toEqual([{ orgId: "b", error: expect.stringContaining("damaged") }]);
    expect(behind).toHaveLength(4);
    expect(fleetStatus(system)).toBeNull();
    expect(listFleetTenants(system)).toEqual([]);
  });
});

describe("a migration of all tenants (M34)", () => {
  test.each([
    ["no folder for copies", { backup: {} }],
    ["a negative number of canaries", { canaries: -1 }],
    ["no failure allowed", { maxFailures: 0 }],
    ["half a tenant at a time", { concurrency: 0.5 }],
  ])("%s is refused", async (_, options) => {
    await expect(fleet().run(options as never)).rejects.toThrow(withCode("INVALID_ARGUMENT"));
  });

  test("a canary that has no tenant is refused", async () => {
    await expect(fleet().run({ canaries: ["nobody"] })).rejects.toThrow(withCode("NOT_FOUND"));
  });

  test("brings every tenant to the newest version and removes the copies", async () => {
    const { run, versions, system, backups, tenants, addGraphs } = fleet();
    addGraphs("c", "kept");
    using inUse = tenants.open("c");
    const progress: FleetProgress[] = [];
    const result = await run({ onProgress: (at) => progress.push(at) });
    expect(result).toMatchObject({
      run: { state: "done", phase: "rest", reason: null, target: tenants.newestVersion },
      counts: { total: 5, done: 5, pending: 0, failed: 0, skipped: 0 },
      failed: [],
    });
    expect(versions()).toEqual([1, 1, 1, 1, 1]);
    expect(inUse.db.select().from(graphs).all()).toMatchObject([{ name: "kept" }]);
    expect(readdirSync(backups)).toEqual([]);
    expect(progress[0]?.counts).toMatchObject({ pending: 5, total: 5 });
    expect(progress.at(-1)).toMatchObject({ counts: { done: 5 }, secondsLeft: null });
    expect(fleetStatus(system)).toMatchObject({ run: { state: "done" }, counts: { done: 5 } });
    expect((await planFleetMigration({ tenants })).current).toBe(5);
  });

  test("that has nothing to do is done", async () => {
    const { run } = fleet();
    await run();
    expect(await run()).toMatchObject({ run: { state: "done" }, counts: { total: 0 } });
  });

  test("keeps the copies where that was asked for, or makes none", async () => {
    const { run, backups, system } = fleet();
    await run({ backup: { folder: backups, keep: "all" } });
    expect(readdirSync(backups)).toHaveLength(5);
    for (const { backup } of listFleetTenants(system)) expect(existsSync(backup ?? "")).toBe(true);
    const other = fleet();
    await other.run({ backup: false });
    expect(existsSync(other.backups)).toBe(false);
  });

  test("begins with the canaries, and the rest waits for the check of all of them", async () => {
    const { run, versions } = fleet();
    const checked: string[] = [];
    const during: number[][] = [];
    await run({
      canaries: ["b", "d"],
      check: async (_, orgId) => {
        checked.push(orgId);
        during.push(versions());
      },
    });
    expect(checked).toEqual(["b", "d"]);
    expect(during).toEqual([
      [0, 1, 0, 1, 0],
      [0, 1, 0, 1, 0],
    ]);
    expect(versions()).toEqual([1, 1, 1, 1, 1]);
  });

  test("stops when a canary does not pass its check, and there is a copy to go back to", async () => {
    const { run, versions, tenants, addGraphs, before } = fleet();
    addGraphs("a", "as it was");
    const { run: ended, failed } = await run({
      check: (db) => {
        db.update(graphs).set({ name: "spoilt" }).run();
        throw new Error("the report is empty");
      },
    });
    expect(ended).toMatchObject({
      state: "stopped",
      phase: "canaries",
      reason: expect.stringContaining('canary "a" failed: its check: the report is empty'),
    });
    expect(failed).toMatchObject([
      { orgId: "a", canary: true, from: before, error: expect.stringContaining("report") },
    ]);
    expect(versions()).toEqual([1, 0, 0, 0, 0]);
    await tenants.archive("a");
    await tenants.restore("a", failed[0]?.backup as string);
    tenants.withTenant("a", (db) => {
      expect(db.select().from(graphs).all()).toMatchObject([{ name: "as it was" }]);
    });
  });

  test("stops when a canary cannot be migrated", async () => {
    const { run, addGraphs, versions } = fleet();
    addGraphs("b", "same", "same");
    const { run: ended, counts } = await run({ canaries: ["b"] });
    expect(ended.reason).toMatch(/^canary "b" failed: .*UNIQUE/);
    expect(counts).toMatchObject({ failed: 1, skipped: 4 });
    expect(versions()).toEqual([0, 0, 0, 0, 0]);
  });

  test("goes on without a tenant that fails, which is at its old version, named, with its copy", async () => {
    const { run, addGraphs, versions, system, backups } = fleet();
    addGraphs("c", "same", "same");
    const { run: ended, failed, counts } = await run();
    expect(ended).toMatchObject({ state: "done", reason: null });
    expect(counts).toMatchObject({ done: 4, failed: 1 });
    expect(failed).toMatchObject([{ orgId: "c", error: expect.stringContaining("UNIQUE") }]);
    expect(versions()).toEqual([1, 1, 0, 1, 1]);
    expect(readdirSync(backups).map((name) => join(backups, name))).toEqual([failed[0]?.backup]);
    expect(listFleetTenants(system, { status: "failed" })).toEqual(failed);
    expect(listFleetTenants(system, { after: "b", limit: 1 })).toEqual(failed);
  });

  test("is done again for those that failed, and for nobody else", async () => {
    const { run, addGraphs, tenants, versions, system } = fleet();
    addGraphs("c", "same", "same");
    await run({ maxFailures: 1, canaries: 0 });
    tenants.withTenant("c", ({ $client }) => {
      $client.execute("UPDATE graphs SET name = id");
    });
    const before = versions();
    const { counts } = await run({ only: "failed" });
    expect(counts).toMatchObject({ total: 1, done: 1 });
    expect(versions().filter((version, i) => version !== before[i])).toHaveLength(1);
    expect(statuses(system)).toEqual(["c done"]);
  });

  test("stops at its limit of failures", async () => {
    const { run, addGraphs } = fleet();
    for (const id of IDS) addGraphs(id, "same", "same");
    const { run: ended, counts } = await run({ canaries: 0, maxFailures: 2, concurrency: 1 });
    expect(ended).toMatchObject({ state: "stopped", reason: expect.stringContaining("2 tenants") });
    expect(counts).toMatchObject({ failed: 2, skipped: 3 });
    const all = await run({ canaries: 0, maxFailures: Number.POSITIVE_INFINITY });
    expect(all).toMatchObject({ run: { state: "done" }, counts: { failed: 5 } });
  });

  test("is paused, goes on, and is aborted, by whatever process", async () => {
    const { run, system, versions, tenants } = fleet();
    for (const change of [pauseFleetMigration, resumeFleetMigration, abortFleetMigration]) {
      expect(() => change(system)).toThrow(withCode("MIGRATION_STATE", "no migration"));
    }
    const ended = run({
      concurrency: 0,
      canaries: ["b"],
      check: () => pauseFleetMigration(system),
    });
    await eventually("the run was begun", () => fleetStatus(system));
    expect(pauseFleetMigration(system).state).toBe("paused");
    await using _ = startFleetWorkers({ tenants, system });
    expect(resumeFleetMigration(system).state).toBe("running");
    await eventually("the canary's check has paused it", () => {
      const status = fleetStatus(system);
      return status?.run.state === "paused" && status.run.phase === "rest";
    });
    expect(fleetStatus(system)?.counts).toMatchObject({ done: 1, pending: 4 });
    expect(abortFleetMigration(system)).toMatchObject({ state: "aborted" });
    expect(await ended).toMatchObject({
      run: { state: "aborted" },
      counts: { done: 1, skipped: 4 },
    });
    expect(versions()).toEqual([0, 1, 0, 0, 0]);
    const queue = openCatalogQueue(
      { db: system.$client, entries: systemCatalog.queues },
      "schema-migration",
    );
    expect(queue.paused).toBe(false);
    expect(queue.stats()).toMatchObject({ pending: 0, running: 0, dead: 0 });
    expect((await run()).counts.total).toBe(4);
  });

  test("a call that is aborted leaves the run, and the next call goes on with it", async () => {
    const { run, system } = fleet();
    const abort = new AbortController();
    const call = run({ concurrency: 0, canaries: 2, maxFailures: 3, signal: abort.signal });
    await eventually("the run was begun", () => fleetStatus(system));
    abort.abort(new Error("deployed"));
    await expect(call).rejects.toThrow("deployed");
    const id = fleetStatus(system)?.run.id;
    const { run: ended, counts } = await run({ canaries: 0 });
    expect(ended).toMatchObject({ id, state: "done", options: { maxFailures: 3 } });
    expect(counts.done).toBe(5);
  });

  test("to one version is not gone on with by a program of another, whose workers stop", async () => {
    const { run, system, manager } = fleet();
    const abort = new AbortController();
    const call = run({ concurrency: 0, signal: abort.signal });
    await eventually("the run was begun", () => fleetStatus(system));
    const older = manager();
    const errors: unknown[] = [];
    await using _ = startFleetWorkers({
      tenants: older,
      system,
      onError: (error) => errors.push(error),
    });
    await eventually("the older worker has said so", () => errors.length > 0);
    expect(errors[0]).toEqual(withCode("MIGRATION_STATE", "this program's newest"));
    await expect(runFleetMigration({ tenants: older, system, backup: false })).rejects.toThrow(
      withCode("MIGRATION_STATE", "Finish it with the program that began it"),
    );
    abort.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    expect((await run()).counts.done).toBe(5);
  });

  test("tenants that are put away meanwhile are skipped, and found by the next run", async () => {
    const { run, tenants, system } = fleet();
    const abort = new AbortController();
    const call = run({ concurrency: 0, canaries: 0, signal: abort.signal });
    await eventually("the run was begun", () => fleetStatus(system));
    abort.abort(new Error("later"));
    await expect(call).rejects.toThrow("later");
    await tenants.archive("c");
    expect((await run()).counts).toMatchObject({ done: 4, skipped: 1, failed: 0 });
    tenants.unarchive("c");
    expect((await run()).counts).toMatchObject({ total: 1, done: 1 });
  });

  test("a tenant whose job was taken away has failed, rather than being waited for", async () => {
    const { run, system } = fleet();
    const ended = run({ concurrency: 0, canaries: 0, maxFailures: 1 });
    await eventually("the run was begun", () => fleetStatus(system));
    system.$client.execute(
      "DELETE FROM _honker_live WHERE id = (SELECT min(id) FROM _honker_live)",
    );
    expect(await ended).toMatchObject({
      run: { state: "stopped" },
      failed: [{ error: "its job was taken away" }],
    });
  });
});

test("tenants whose schema was changed by hand are found and named (M34)", async () => {
  const { tenants, folder } = fleet();
  tenants.withTenant("b", ({ $client }) => void $client.execute("CREATE TABLE mine (id)"));
  writeFileSync(
    join(folder, "tenant-d.db"),
    "no database at all, and long enough to be read as one",
  );
  const looked: number[] = [];
  const found = await findSchemaDrift({ tenants, onProgress: (count) => looked.push(count) });
  expect(found).toEqual([
    { orgId: "b", drift: expect.objectContaining({ added: ["table mine"], missing: [] }) },
    { orgId: "d", error: expect.stringContaining("damaged") },
  ]);
  expect(looked).toEqual([1, 2, 3, 4, 5]);
  await expect(
    findSchemaDrift({ tenants, signal: AbortSignal.abort(new Error("no")) }),
  ).rejects.toThrow("no");
});
