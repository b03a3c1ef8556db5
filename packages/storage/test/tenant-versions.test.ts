import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { graphs, planFleetMigration } from "@alkdev/storage/sqlite";
import { describe, expect, test } from "vitest";
import { firstTasks, migrationsFolder, newestSchema, nextVersion, TASKS } from "./fleet-fixture.ts";
import { tenantsSetup, withCode } from "./tenants-setup.ts";

const LATER = ["CREATE TABLE later (id INTEGER PRIMARY KEY)"];

describe("versions of tenants (M34)", () => {
  test("an unknown way, a folder that is none and a first version that is not there are refused", () => {
    const { manager } = tenantsSetup();
    const folder = migrationsFolder(TASKS);
    for (const options of [
      { olderFiles: "ignore" },
      { ownTables: { migrationsFolder: "/nowhere" } },
      { ownTables: { migrationsFolder: folder, servesFrom: "0009_x" } },
    ]) {
      expect(() => manager(options as never)).toThrow(withCode("INVALID_ARGUMENT"));
    }
  });

  test("are noted when a tenant is made, imported, cloned, opened and migrated", async () => {
    const { manager, folder } = tenantsSetup(["a", "b", "c", "d"]);
    const old = manager();
    for (const id of ["a", "d"]) old.create(id);
    const version = { schema: newestSchema(), app: 0 };
    expect(old.get("a")?.version).toEqual(version);
    await old.exportTo("a", join(folder, "..", "a.db"));
    old.close();
    const next = { schema: version.schema + 1, app: 0 };
    const tenants = manager(nextVersion(LATER));
    expect(tenants.newestVersion).toEqual(next);
    await tenants.importFrom(join(folder, "..", "a.db"), "b");
    expect(tenants.get("b")?.version).toEqual(next);
    expect(tenants.get("a")?.version).toEqual(version);
    tenants.open("a").close();
    expect(tenants.get("a")?.version).toEqual(next);
    await tenants.clone("a", "c");
    expect(tenants.get("c")?.version).toEqual(next);
    expect(tenants.versionOf("d")).toEqual(version);
    expect(await tenants.migrate("d")).toEqual({
      orgId: "d",
      from: version,
      to: next,
      backup: null,
    });
    expect(tenants.get("d")?.version).toEqual(next);
    expect(await tenants.migrate("d")).toMatchObject({ from: next, to: next });
  });

  test("of a file that something else changed are seen at the next look", () => {
    const { manager, system } = tenantsSetup();
    const tenants = manager();
    const { version } = tenants.create("acme");
    system.$client.execute("UPDATE _alk_tenants SET schema_version = NULL, app_version = NULL");
    expect(tenants.get("acme")?.version).toBeNull();
    expect(tenants.versionOf("acme")).toEqual(version);
    system.$client.execute("UPDATE _alk_tenants SET schema_version = 1");
    tenants.open("acme").close();
    expect(tenants.get("acme")?.version).toEqual(version);
  });

  test("a newer file is refused by an older program, and so are newer tables of the application", () => {
    const { manager } = tenantsSetup(["a", "b"]);
    const newer = manager({
      ...nextVersion(LATER),
      ownTables: { migrationsFolder: migrationsFolder(TASKS) },
    });
    newer.create("a");
    newer.close();
    const older = manager({ ownTables: { migrationsFolder: migrationsFolder(TASKS) } });
    const hint = "Upgrade @alkdev/storage";
    for (const use of [() => older.open("a"), () => older.driftOf("a")]) {
      expect(use).toThrow(withCode("UNKNOWN_SCHEMA", hint));
    }
    const folder = migrationsFolder(firstTasks(1));
    const olderTables = manager({ ...nextVersion(LATER), ownTables: { migrationsFolder: folder } });
    expect(() => olderTables.open("a")).toThrow(
      withCode("UNKNOWN_SCHEMA", "of 1970-01-01T00:00:02.000Z"),
    );
  });

  test("an older file is served as it is where that was asked for, until it is migrated", async () => {
    const { manager } = tenantsSetup();
    const old = manager();
    const { version } = old.create("acme");
    old.withTenant("acme", (db) => db.insert(graphs).values({ name: "kept" }).run());
    old.close();
    const tenants = manager({ ...nextVersion(LATER), olderFiles: "serve" });
    const read = () => tenants.withTenant("acme", (db) => db.select().from(graphs).all().length);
    expect(read()).toBe(1);
    expect(tenants.get("acme")?.version).toEqual(version);
    expect(tenants.versionOf("acme")).toEqual(version);
    using handle = tenants.open("acme");
    await tenants.migrate("acme");
    expect(handle.db.$client.rows("SELECT count(*) FROM later")).toEqual([[0]]);
    expect(tenants.versionOf("acme")).toEqual(tenants.newestVersion);
    expect(read()).toBe(1);
  });

  test("an older file that cannot be served is refused, and says what to do", async () => {
    const { manager } = tenantsSetup();
    const old = manager();
    old.create("acme");
    old.close();
    const tenants = manager({ ...nextVersion(LATER, false), olderFiles: "serve" });
    expect(() => tenants.open("acme")).toThrow(withCode("SCHEMA_OUTDATED", "runFleetMigration"));
    await tenants.migrate("acme");
    tenants.open("acme").close();
  });

  test("the application's own tables are in new files, and in older ones when they are opened", () => {
    const { manager } = tenantsSetup(["a", "b"]);
    const none = manager();
    none.create("a");
    none.close();
    const first = manager({ ownTables: { migrationsFolder: migrationsFolder(firstTasks(1)) } });
    first.create("b");
    for (const id of ["a", "b"]) {
      first.withTenant(
        id,
        ({ $client }) => void $client.execute("INSERT INTO tasks VALUES (1, NULL)"),
      );
      expect(first.get(id)?.version?.app).toBe(1_000);
    }
    first.close();
    const both = manager({
      olderFiles: "serve",
      ownTables: { migrationsFolder: migrationsFolder(TASKS) },
    });
    const titles = (id: string) =>
      both.withTenant(id, ({ $client }) => $client.rows("SELECT title FROM tasks"));
    expect(titles("a")).toEqual([[null]]);
    expect(both.nameOfVersion(both.versionOf("a"))).toBe(`${newestSchema()} + 0000_tasks`);
    both.close();
    const strict = manager({
      olderFiles: "serve",
      ownTables: { migrationsFolder: migrationsFolder(TASKS), servesFrom: "0001_title_is_needed" },
    });
    expect(() => strict.open("a")).toThrow(withCode("SCHEMA_OUTDATED", "0001_title_is_needed"));
    strict.close();
    const opening = manager({ ownTables: { migrationsFolder: migrationsFolder(TASKS) } });
    opening.withTenant("a", ({ $client }) => {
      expect($client.rows("SELECT title FROM tasks")).toEqual([[""]]);
      expect($client.rows("PRAGMA foreign_keys")).toEqual([[1]]);
    });
  });

  test("both parts are brought to their newest version together, or neither", async () => {
    const { manager } = tenantsSetup();
    const old = manager();
    const { version } = old.create("acme");
    old.close();
    const broken = { ...TASKS, "0002_broken": ["INSERT INTO nothing VALUES (1)"] };
    const tenants = manager({
      ...nextVersion(LATER),
      olderFiles: "serve",
      ownTables: { migrationsFolder: migrationsFolder(broken) },
    });
    await expect(tenants.migrate("acme")).rejects.toThrow(
      withCode("MIGRATION_FAILED", "0002_broken"),
    );
    expect(tenants.versionOf("acme")).toEqual(version);
    tenants.withTenant("acme", ({ $client }) => {
      expect(() => $client.rows("SELECT 1 FROM later")).toThrow("no such table");
      expect(() => $client.rows("SELECT 1 FROM tasks")).toThrow("no such table");
    });
  });

  test("a copy is made before, of the old version, and replaces one of an attempt before", async () => {
    const { manager, folder } = tenantsSetup(["acme", "other"]);
    const old = manager();
    const { version } = old.create("acme");
    old.close();
    const tenants = manager({ ...nextVersion(LATER), olderFiles: "serve" });
    const inside = join(folder, "acme.db");
    await expect(tenants.migrate("acme", { backup: inside })).rejects.toThrow(
      withCode("INVALID_ARGUMENT", "tenants' own files"),
    );
    const backup = join(folder, "..", "acme.db");
    expect(await tenants.migrate("acme", { backup })).toMatchObject({ from: version, backup });
    expect(existsSync(backup)).toBe(true);
    await tenants.archive("acme");
    await tenants.restore("acme", backup);
    expect(tenants.get("acme")).toMatchObject({ state: "active", version: tenants.newestVersion });
    const again = join(folder, "..", "again.db");
    expect(await tenants.migrate("acme", { backup: again })).toMatchObject({ backup: null });
    expect(existsSync(again)).toBe(false);
  });

  test("of the application's tables are left alone by a program that does not know them", async () => {
    const { manager } = tenantsSetup();
    const knowing = manager({ ownTables: { migrationsFolder: migrationsFolder(TASKS) } });
    const { version } = knowing.create("acme");
    expect(version?.app).toBe(2_000);
    knowing.close();
    const other = manager();
    other.open("acme").close();
    other.versionOf("acme");
    await other.migrate("acme");
    expect(other.get("acme")?.version).toEqual(version);
    expect(await planFleetMigration({ tenants: other })).toMatchObject({ current: 1, newer: [] });
  });

  test("one whose file is missing or another's is not migrated", async () => {
    const { manager, folder } = tenantsSetup(["acme", "globex"]);
    const tenants = manager(nextVersion(LATER));
    for (const id of ["acme", "globex"]) tenants.create(id);
    renameSync(join(folder, "tenant-globex.db"), join(folder, "tenant-acme.db"));
    const uses = (id: string) => [
      () => tenants.migrate(id),
      async () => tenants.versionOf(id),
      async () => tenants.driftOf(id),
    ];
    for (const use of uses("acme")) {
      await expect(use()).rejects.toThrow(
        withCode("TENANT_FILE", 'belongs to organisation "globex"'),
      );
    }
    for (const use of uses("globex")) {
      await expect(use()).rejects.toThrow(withCode("TENANT_FILE", "is missing"));
    }
  });

  test("one that is in a transaction of this process is busy, and as it was", async () => {
    const { manager } = tenantsSetup();
    const old = manager();
    old.create("acme");
    old.close();
    const tenants = manager({ ...nextVersion(LATER), olderFiles: "serve" });
    using handle = tenants.open("acme");
    const tx = handle.db.$client.transaction();
    await expect(tenants.migrate("acme")).rejects.toThrow(withCode("TENANT_BUSY"));
    tx.rollback();
    expect(await tenants.migrate("acme")).toMatchObject({ to: tenants.newestVersion });
    expect(handle.db.$client.rows("PRAGMA synchronous")).toEqual([[1]]);
  });

  test("one that is put away, missing or in a transaction is not migrated", async () => {
    const { manager, system } = tenantsSetup();
    const tenants = manager();
    tenants.create("acme");
    await expect(tenants.migrate("globex")).rejects.toThrow(withCode("NOT_FOUND"));
    const tx = system.$client.transaction();
    await expect(tenants.migrate("acme")).rejects.toThrow(withCode("TRANSACTION_STATE"));
    tx.rollback();
    await expect(
      tenants.migrate("acme", { signal: AbortSignal.abort(new Error("no")) }),
    ).rejects.toThrow("no");
    await tenants.archive("acme");
    await expect(tenants.migrate("acme")).rejects.toThrow(withCode("TENANT_STATE", "archived"));
    tenants.close();
    await expect(tenants.migrate("acme")).rejects.toThrow(withCode("CLOSED"));
  });
});

describe("a schema that was changed by hand (M34)", () => {
  test("is found, with what is missing, added and changed", () => {
    const tenants = tenantsSetup().manager({
      ownTables: { migrationsFolder: migrationsFolder(TASKS) },
    });
    tenants.create("acme");
    expect(tenants.driftOf("acme")).toBeNull();
    tenants.withTenant("acme", ({ $client }) => {
      $client.execute("DROP INDEX nodes_node_type");
      $client.execute("CREATE TRIGGER mine AFTER INSERT ON nodes BEGIN SELECT 1; END");
      $client.execute("ALTER TABLE tasks ADD COLUMN note text");
    });
    expect(tenants.driftOf("acme")).toEqual({
      version: tenants.newestVersion,
      missing: ["index nodes_node_type"],
      added: ["trigger mine"],
      changed: [
        {
          name: "table tasks",
          expected: expect.not.stringContaining("note"),
          found: expect.stringContaining("note"),
        },
      ],
    });
  });

  test("is compared with the version that the file has, and what is made at run time is no drift", () => {
    const { manager } = tenantsSetup(["a", "b"]);
    const old = manager({ ownTables: { migrationsFolder: migrationsFolder(firstTasks(1)) } });
    for (const id of ["a", "b"]) old.create(id);
    old.setQuota("a", { maxNodes: 10 });
    old.close();
    const tenants = manager({
      ...nextVersion(LATER),
      olderFiles: "serve",
      ownTables: { migrationsFolder: migrationsFolder(TASKS) },
    });
    for (const id of ["a", "b"]) expect(tenants.driftOf(id)).toBeNull();
  });
});
