import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { open } from "@alkdev/honker";
import {
  createSystemDatabase,
  createTenantManager,
  fleetStatus,
  runFleetMigration,
  type TenantManager,
  type TenantManagerOptions,
} from "@alkdev/storage/sqlite";
import { tempFolder } from "@alkdev/testkit";
import { expect, onTestFinished, test } from "vitest";
import { migrationsFolder, nextVersion, TASKS } from "./fleet-fixture.ts";
import { insertOrganizations } from "./tenants-setup.ts";

const ROWS = 20;
/** What the children compile is kept between them: a third of the time to boot. */
const COMPILE_CACHE = join(tmpdir(), "alkdev-compile-cache");
const TWO = {
  "0000_tasks": [
    ...(TASKS["0000_tasks"] ?? []),
    "CREATE TABLE notes (id integer PRIMARY KEY NOT NULL, task_id integer NOT NULL REFERENCES tasks (id) ON DELETE CASCADE)",
  ],
  "0001_title_is_needed": TASKS["0001_title_is_needed"] ?? [],
};

function child(name: string, root: string, options: object): ChildProcess {
  const url = new URL(`./children/${name}.ts`, import.meta.url);
  const process = fork(url, [root, JSON.stringify(options)], {
    execArgv: ["--conditions=@alkdev/source"],
    env: { ...globalThis.process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  onTestFinished(() => void process.kill("SIGKILL"));
  return process;
}

/** Closed tenants with rows and their children, of the version before; and the next one's options. */
function prepare(ids: readonly string[]) {
  const root = tempFolder();
  const first = Object.fromEntries(Object.entries(TWO).slice(0, 1));
  const system = createSystemDatabase(open(join(root, "system.db")));
  insertOrganizations(system, ids);
  const folder = join(root, "tenants");
  const ownTables = { migrationsFolder: migrationsFolder(first) };
  const old = createTenantManager({ folder, system, ownTables });
  for (const id of ids) {
    old.create(id);
    old.withTenant(id, ({ $client: db }) =>
      db.transaction((tx) => {
        for (let i = 1; i <= ROWS; i++) {
          tx.execute("INSERT INTO tasks VALUES (?, ?)", [i, i % 2 === 0 ? `${id} ${i}` : null]);
          tx.execute("INSERT INTO notes (task_id) VALUES (?)", [i]);
        }
      }),
    );
  }
  old.close();
  system.$client.close();
  const options: Partial<TenantManagerOptions> = {
    ...nextVersion(["CREATE TABLE totals AS SELECT count(*) AS graphs FROM graphs"]),
    olderFiles: "serve",
    ownTables: { migrationsFolder: migrationsFolder(TWO) },
  };
  return { root, options };
}

function openAll(root: string, options: Partial<TenantManagerOptions>) {
  const system = createSystemDatabase(open(join(root, "system.db")));
  const tenants = createTenantManager({ folder: join(root, "tenants"), system, ...options });
  onTestFinished(() => {
    tenants.close();
    system.$client.close();
  });
  return { system, tenants };
}

/** Checks that a tenant is wholly at the version that its file says. @returns whether that is the new one */
function isNew(tenants: TenantManager, id: string): boolean {
  const version = tenants.versionOf(id);
  expect(tenants.driftOf(id)).toBeNull();
  const isBoth = version.app === 2_000 && version.schema === tenants.newestVersion.schema;
  const isNone = version.app === 1_000 && version.schema === tenants.newestVersion.schema - 1;
  expect({ id, version, whole: isBoth || isNone }).toMatchObject({ whole: true });
  tenants.withTenant(id, ({ $client: db }) => {
    const empty = isBoth ? "= ''" : "IS NULL";
    expect(db.rows("SELECT count(*) FROM tasks")).toEqual([[ROWS]]);
    expect(db.rows("SELECT count(*) FROM notes")).toEqual([[ROWS]]);
    expect(db.rows(`SELECT count(*) FROM tasks WHERE title ${empty}`)).toEqual([[ROWS / 2]]);
    expect(db.rows("PRAGMA foreign_key_check")).toEqual([]);
    expect(db.rows("PRAGMA integrity_check")).toEqual([["ok"]]);
  });
  return isBoth;
}

test("workers are killed again and again: each tenant is at the old or the new version, and all get there (M34)", async () => {
  const ids = Array.from({ length: 24 }, (_, i) => `org-${String(i).padStart(2, "0")}`);
  const { root, options } = prepare(ids);
  const { system, tenants } = openAll(root, options);
  const backup = { folder: join(root, "before") };
  const ended = runFleetMigration({ tenants, system, backup, concurrency: 0, canaries: 2 });
  let kills = 0;
  while (fleetStatus(system)?.run.state !== "done" && kills < 6) {
    const worker = child("fleet-worker", root, options);
    await Promise.race([once(worker, "message"), once(worker, "exit")]);
    // not a wait for something: the moment of the kill is the input of this test
    await sleep(Math.random() * 40);
    worker.kill("SIGKILL");
    await once(worker, "exit");
    kills += 1;
    // every third, each time others: all of them are looked at in the end
    for (const id of ids.filter((_, i) => i % 3 === kills % 3)) isNew(tenants, id);
  }
  child("fleet-worker", root, options);
  const { run, counts, failed } = await ended;
  expect({ state: run.state, failed }).toEqual({ state: "done", failed: [] });
  expect(counts).toMatchObject({ done: ids.length, total: ids.length });
  expect(ids.filter((id) => !isNew(tenants, id))).toEqual([]);
  expect(kills).toBeGreaterThan(1);
}, 240_000);

test("the log of a migration cut anywhere leaves the old version or the new one (M34)", async () => {
  const { root, options } = prepare(["acme"]);
  const migrating = child("fleet-migrate-one", root, options);
  expect((await once(migrating, "exit"))[1]).toBe("SIGKILL");
  const file = join(root, "tenants", "tenant-acme.db");
  const kept = { db: join(root, "kept.db"), wal: join(root, "kept.wal") };
  copyFileSync(file, kept.db);
  copyFileSync(`${file}-wal`, kept.wal);
  const log = readFileSync(kept.wal);
  const frame = 24 + log.readUInt32BE(8);
  const frames = (log.length - 32) / frame;
  expect(frames).toBeGreaterThan(5);
  const { tenants } = openAll(root, options);
  const seen = new Set<boolean>();
  for (let i = 0; i <= frames; i++) {
    for (const bytes of [32 + i * frame, 32 + i * frame + 100]) {
      expect(tenants.evict("acme")).toBe(true);
      for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
      copyFileSync(kept.db, file);
      writeFileSync(`${file}-wal`, log.subarray(0, bytes));
      seen.add(isNew(tenants, "acme"));
    }
  }
  expect(seen).toEqual(new Set([false, true]));
}, 240_000);
