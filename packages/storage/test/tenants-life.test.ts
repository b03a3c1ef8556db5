import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open, restoreBackup } from "@alkdev/honker";
import { systemCatalog } from "@alkdev/storage/catalog";
import {
  createCallJournal,
  createSystemDatabase,
  createTenantDatabase,
  graphs,
  nodes,
  TENANT_STATES,
  TENANT_TRANSITIONS,
  type TenantManager,
  type TenantState,
  type TenantTransition,
  type TenantTransitionName,
} from "@alkdev/storage/sqlite";
import { eventually, FakeClock } from "@alkdev/testkit";
import { describe, expect, test } from "vitest";
import { slugOf, tenantsSetup, withCode } from "./tenants-setup.ts";

const RESTING = ["active", "suspended", "archived", "deleting"] as const;

/** How each operation is called on `acme`. */
const CALLS: Readonly<
  Record<TenantTransitionName, (tenants: TenantManager, folder: string) => unknown>
> = {
  create: (tenants) => tenants.create("acme"),
  import: (tenants, folder) => tenants.importFrom(join(folder, "..", "export.db"), "acme"),
  clone: (tenants) => tenants.clone("globex", "acme"),
  suspend: (tenants) => tenants.suspend("acme"),
  resume: (tenants) => tenants.resume("acme"),
  archive: (tenants) => tenants.archive("acme"),
  unarchive: (tenants) => tenants.unarchive("acme"),
  restore: (tenants, folder) => tenants.restore("acme", join(folder, "..", "export.db")),
  delete: (tenants) => tenants.delete("acme", { confirm: "acme" }),
  undelete: (tenants) => tenants.undelete("acme"),
  purge: (tenants) => tenants.purgeDue(),
};

async function bring(tenants: TenantManager, state: TenantState): Promise<void> {
  tenants.create("acme");
  if (state === "suspended") tenants.suspend("acme");
  if (state === "archived") await tenants.archive("acme");
  if (state === "deleting") tenants.delete("acme", { confirm: "acme" });
  expect(tenants.get("acme")?.state).toBe(state);
}

describe("states of tenants (M33)", () => {
  test("are the same in code, in the table and in the catalog", () => {
    const { system } = tenantsSetup([]);
    const table = system.$client.rows("SELECT sql FROM sqlite_master WHERE name = '_alk_tenants'");
    for (const state of TENANT_STATES) expect(String(table)).toContain(`'${state}'`);
    const { anyOf } = systemCatalog.channels["tenant:state_changed"].payload.properties.state;
    expect(anyOf.map((literal) => literal.const)).toEqual([...TENANT_STATES, "removed"]);
  });

  test("are as the page on the architecture says", () => {
    const page = new URL("../../../docs/architecture/tenants.md", import.meta.url);
    const text = readFileSync(page, "utf8");
    const shown = (states: readonly (string | null)[]): string =>
      states.map((state) => state ?? "no tenant").join(", ") || "no tenant";
    const rows = ways.map(
      ([name, { from, via, to }]) =>
        `| ${name} | ${shown(from)} | ${via ?? "–"} | ${shown([to])} |`,
    );
    expect(text).toContain(
      `| operation | from | via | to |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n\n`,
    );
    for (const state of TENANT_STATES) expect(text.split("| operation")[0]).toContain(state);
  });

  const ways = Object.entries<TenantTransition>(TENANT_TRANSITIONS) as readonly [
    TenantTransitionName,
    TenantTransition,
  ][];
  const cases = ways.flatMap(([name, way]) => RESTING.map((state) => ({ name, way, state })));

  test.each(cases)("$name of a tenant that is $state does what the table says", async (given) => {
    const { name, way, state } = given;
    const { manager, folder } = tenantsSetup();
    const tenants = manager({ graceSeconds: 0 });
    tenants.create("globex");
    await tenants.exportTo("globex", join(folder, "..", "export.db"));
    await bring(tenants, state);
    const run = async (): Promise<unknown> => await CALLS[name](tenants, folder);
    if (way.from.includes(state)) {
      await run();
      const to = way.to === "previous" ? "active" : way.to;
      expect(tenants.get("acme")?.state ?? null).toBe(to);
      return;
    }
    // a purge takes what is due and leaves the rest
    if (name === "purge") expect(await run()).toEqual({ purged: [], postponed: [] });
    else if (way.from.length === 0) await expect(run()).rejects.toThrow(withCode("ALREADY_EXISTS"));
    else await expect(run()).rejects.toThrow(withCode("TENANT_STATE", `it is ${state}`));
    expect(tenants.get("acme")?.state).toBe(state);
  });

  test("one that is not active is not opened, and the error says what leads there", async () => {
    for (const [state, way] of [
      ["suspended", "resume()"],
      ["archived", "unarchive()"],
      ["deleting", "undelete()"],
    ] as const) {
      const tenants = tenantsSetup().manager();
      await bring(tenants, state);
      expect(() => tenants.open("acme")).toThrow(withCode("TENANT_STATE", way));
      expect(() => tenants.withTenant("acme", () => 1)).toThrow(withCode("TENANT_STATE", state));
    }
  });

  test("the way back leads through every state it was left from", async () => {
    const tenants = tenantsSetup().manager();
    tenants.create("acme");
    tenants.suspend("acme");
    await tenants.archive("acme");
    tenants.delete("acme", { confirm: "acme" });
    expect(tenants.undelete("acme").state).toBe("archived");
    expect(tenants.unarchive("acme").state).toBe("suspended");
    expect(tenants.resume("acme").state).toBe("active");
  });

  test("a change of state joins a transaction and is rolled back with it", () => {
    const { manager, system } = tenantsSetup();
    const tenants = manager();
    tenants.create("acme");
    tenants.open("acme").close();
    const tx = system.$client.transaction();
    tenants.suspend("acme");
    expect(() => tenants.open("acme")).toThrow(withCode("TENANT_STATE"));
    tx.rollback();
    expect(tenants.openFiles).toEqual({ open: 1, idle: 1 });
    tenants.open("acme").close();
    system.$client.transaction(() => void tenants.suspend("acme"));
    expect(tenants.openFiles).toEqual({ open: 0, idle: 0 });
  });

  test("handles in use go on while their tenant is suspended", () => {
    const tenants = tenantsSetup().manager();
    tenants.create("acme");
    const handle = tenants.open("acme");
    tenants.suspend("acme");
    handle.db.insert(graphs).values({ name: "g" }).run();
    handle.close();
    expect(() => tenants.open("acme")).toThrow(withCode("TENANT_STATE"));
  });

  test("list gives those in a state, in pages", () => {
    const ids = ["a", "b", "c", "d"];
    const tenants = tenantsSetup(ids).manager();
    for (const id of ids) tenants.create(id);
    tenants.suspend("b");
    const idsOf = (options: Parameters<TenantManager["list"]>[0]): string[] =>
      tenants.list(options).map(({ orgId }) => orgId);
    expect(idsOf({})).toEqual(ids);
    expect(idsOf({ state: "suspended" })).toEqual(["b"]);
    expect(idsOf({ state: "active", after: "a", limit: 1 })).toEqual(["c"]);
    expect(idsOf({ state: "deleting" })).toEqual([]);
    for (const wrong of [{ state: "gone" }, { state: "" }, { limit: -1 }, { limit: Number.NaN }]) {
      expect(() => tenants.list(wrong as never)).toThrow(withCode("INVALID_ARGUMENT"));
    }
  });
});

describe("archiving (M33)", () => {
  test("puts the file away in one piece and brings it back", async () => {
    const { manager, folder } = tenantsSetup();
    const tenants = manager();
    tenants.create("acme");
    tenants.withTenant("acme", (db) => db.insert(graphs).values({ name: "kept" }).run());
    await tenants.archive("acme");
    expect(readdirSync(folder).sort()).toEqual(["archive", "tmp"]);
    expect(readdirSync(join(folder, "archive"))).toEqual(["tenant-acme.db"]);
    tenants.unarchive("acme");
    const kept = tenants.withTenant("acme", (db) => db.select().from(graphs).get()?.name);
    expect(kept).toBe("kept");
  });

  test("waits for handles in use, and nobody can open the tenant meanwhile", async () => {
    const tenants = tenantsSetup().manager();
    tenants.create("acme");
    const handle = tenants.open("acme");
    const archiving = tenants.archive("acme");
    await eventually("it waits", () => tenants.get("acme")?.state === "archiving");
    expect(() => tenants.open("acme")).toThrow(withCode("TENANT_STATE", "archiving"));
    handle.db.insert(graphs).values({ name: "late" }).run();
    handle.close();
    expect((await archiving).state).toBe("archived");
  });

  test("gives up with the tenant as it was, after waitMs or when told to", async () => {
    const tenants = tenantsSetup().manager();
    tenants.create("acme");
    using handle = tenants.open("acme");
    await expect(tenants.archive("acme", { waitMs: 0 })).rejects.toThrow(
      withCode("TENANT_BUSY", "in use here 1 times"),
    );
    const stop = new AbortController();
    const archiving = tenants.archive("acme", { waitMs: 60_000, signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(archiving).rejects.toThrow("enough");
    expect(tenants.get("acme")?.state).toBe("active");
    expect(tenants.get("acme")?.operation).toBeNull();
    tenants.open("acme").close();
    expect(handle.db.select().from(graphs).all()).toEqual([]);
  });

  test("waits for a file that this process opened without the manager", async () => {
    const { manager, folder } = tenantsSetup();
    const tenants = manager();
    tenants.create("acme");
    const client = open(join(folder, "tenant-acme.db"));
    await expect(tenants.archive("acme", { waitMs: 0 })).rejects.toThrow(withCode("TENANT_BUSY"));
    client.close();
    await tenants.archive("acme", { waitMs: 0 });
  });

  test("another manager lets go of its idle file", async () => {
    const { manager } = tenantsSetup();
    const [one, other] = [manager(), manager()];
    one.create("acme");
    other.open("acme").close();
    await one.archive("acme");
    expect(other.openFiles).toEqual({ open: 0, idle: 0 });
    expect(() => other.open("acme")).toThrow(withCode("TENANT_STATE", "archived"));
  });

  test.each([-1, 0.5, Number.NaN, "1"])("waitMs %s is refused", async (waitMs) => {
    const tenants = tenantsSetup().manager();
    tenants.create("acme");
    await expect(tenants.archive("acme", { waitMs: waitMs as number })).rejects.toThrow(
      withCode("INVALID_ARGUMENT", "waitMs"),
    );
  });

  test("a missing file is told, and the state stays", async () => {
    const { manager, folder } = tenantsSetup();
    const tenants = manager();
    tenants.create("acme");
    rmSync(join(folder, "tenant-acme.db"));
    await expect(tenants.archive("acme")).rejects.toThrow(withCode("TENANT_FILE", "missing"));
    expect(tenants.get("acme")).toMatchObject({ state: "active", operation: null });
  });
});

describe("exports and imports (M33)", () => {
  function filled() {
    const setup = tenantsSetup();
    const tenants = setup.manager();
    tenants.create("acme");
    tenants.withTenant("acme", (db) => {
      const { id } = db.insert(graphs).values({ name: "g" }).returning().get();
      db.insert(nodes).values({ graphId: id, key: "n" }).run();
      db.$client.queue("jobs").enqueue({ n: 1 });
    });
    return { ...setup, tenants, path: join(setup.folder, "..", "acme-export.db") };
  }

  test("what an export refuses", async () => {
    const { tenants, folder, path } = filled();
    writeFileSync(path, "here");
    const refused: readonly [unknown, string][] = [
      [path, "ALREADY_EXISTS"],
      [folder, "ALREADY_EXISTS"],
      [join(folder, "x.db"), "INVALID_ARGUMENT"],
      [join(folder, "archive", "x.db"), "INVALID_ARGUMENT"],
      [join(folder, "tmp", "x.db"), "INVALID_ARGUMENT"],
      [join(folder, "none", "x.db"), "INVALID_ARGUMENT"],
      ["", "INVALID_ARGUMENT"],
      ["a\0b", "INVALID_ARGUMENT"],
      [null, "INVALID_ARGUMENT"],
      [7, "INVALID_ARGUMENT"],
    ];
    for (const [destination, code] of refused) {
      await expect(tenants.exportTo("acme", destination as string)).rejects.toThrow(withCode(code));
    }
    await expect(tenants.exportTo("globex", `${path}2`)).rejects.toThrow(withCode("NOT_FOUND"));
    expect(readFileSync(path, "utf8")).toBe("here");
    expect(tenants.get("acme")?.operation).toBeNull();
  });

  test("an export of a tenant in use is one whole file, which imports as another one", async () => {
    const { tenants, folder, path } = filled();
    using handle = tenants.open("acme");
    const { bytes, sha256 } = await tenants.exportTo("acme", path);
    expect(bytes).toBe(statSync(path).size);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    handle.db.insert(graphs).values({ name: "later" }).run();
    const imported = await tenants.importFrom(path, "globex");
    expect(imported.state).toBe("active");
    tenants.withTenant("globex", (db) => {
      expect(db.select({ name: graphs.name }).from(graphs).all()).toEqual([{ name: "g" }]);
      expect(db.$client.stats().queues).toMatchObject([{ queue: "jobs", ready: 1 }]);
    });
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
  });

  test("an archived and a suspended tenant are exported too; one being deleted is not", async () => {
    const { tenants, path } = filled();
    tenants.suspend("acme");
    await tenants.exportTo("acme", `${path}.1`);
    await tenants.archive("acme");
    await tenants.exportTo("acme", `${path}.2`);
    await tenants.importFrom(`${path}.2`, "globex");
    tenants.delete("acme", { confirm: "acme" });
    await expect(tenants.exportTo("acme", `${path}.3`)).rejects.toThrow(withCode("TENANT_STATE"));
    await expect(tenants.clone("acme", "x")).rejects.toThrow(withCode("TENANT_STATE"));
    expect(existsSync(`${path}.3`)).toBe(false);
  });

  test("a moved tenant: purged here, imported under its own id", async () => {
    const { tenants, path, manager } = filled();
    await tenants.exportTo("acme", path);
    tenants.close();
    const later = manager({ graceSeconds: 0 });
    later.delete("acme", { confirm: "acme" });
    expect(later.purgeDue()).toEqual({ purged: ["acme"], postponed: [] });
    await later.importFrom(path, "acme");
    expect(later.stats("acme").rows).toEqual({ graphs: 1, nodes: 1, edges: 0 });
  });

  test.each([
    ["not there", "CANNOT_OPEN", () => undefined],
    ["empty", "TENANT_FILE", (path: string) => writeFileSync(path, "")],
    ["no database", "TENANT_FILE", (path: string) => writeFileSync(path, "x".repeat(5_000))],
    ["nobody's", "TENANT_FILE", (path: string) => createTenantDatabase(open(path)).$client.close()],
    [
      "a system database",
      "TENANT_FILE",
      (path: string) => createSystemDatabase(open(path)).$client.close(),
    ],
    [
      "of a newer version",
      "UNKNOWN_SCHEMA",
      async (path: string, whole: string) => {
        await restoreBackup(whole, path);
        const client = open(path);
        client.execute("INSERT INTO _alk_storage_migrations VALUES (99, 'tenant', 'future', 0)");
        client.close();
      },
    ],
    [
      "with an edge that hangs in the air",
      "TENANT_FILE",
      async (path: string, whole: string) => {
        await restoreBackup(whole, path);
        const client = open(path);
        client.execute("PRAGMA foreign_keys = OFF");
        client.execute("INSERT INTO nodes (id, graph_id, key) VALUES ('x', 'none', 'k')");
        client.close();
      },
    ],
    [
      "cut short",
      "TENANT_FILE",
      (path: string, whole: string) => writeFileSync(path, readFileSync(whole).subarray(0, 90_000)),
    ],
  ])("a file that is %s is not imported, and leaves nothing behind", async (_w, code, make) => {
    const { tenants, folder, path } = filled();
    await tenants.exportTo("acme", path);
    await make(`${path}.bad`, path);
    await expect(tenants.importFrom(`${path}.bad`, "globex")).rejects.toThrow(withCode(code));
    expect(tenants.get("globex")).toBeNull();
    expect(existsSync(join(folder, "tenant-globex.db"))).toBe(false);
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
  });

  test.each(["", " ", "a\0b", null, 7])("importing %j is refused", async (path) => {
    const { tenants } = filled();
    await expect(tenants.importFrom(path as string, "globex")).rejects.toThrow(
      withCode("INVALID_ARGUMENT"),
    );
    expect(tenants.get("globex")).toBeNull();
  });

  test("an aborted import, clone or export leaves nothing behind", async () => {
    const { tenants, folder, path } = filled();
    await tenants.exportTo("acme", path);
    const signal = AbortSignal.abort(new Error("stop"));
    await expect(tenants.importFrom(path, "globex", { signal })).rejects.toThrow("stop");
    await expect(tenants.clone("acme", "globex", { signal })).rejects.toThrow("stop");
    await expect(tenants.exportTo("acme", `${path}.2`, { signal })).rejects.toThrow("stop");
    const stop = new AbortController();
    const cloning = tenants.clone("acme", "globex", { signal: stop.signal });
    stop.abort(new Error("stop"));
    await expect(cloning).rejects.toThrow("stop");
    expect(tenants.list().map(({ orgId }) => orgId)).toEqual(["acme"]);
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
  });

  test("a clone leaves jobs, schedules and locks to the original, unless told to keep them", async () => {
    const { tenants, system } = filled();
    system.$client.execute(
      "INSERT INTO organizations (id, name, slug, owner_id) VALUES ('third', 't', 't', 'owner')",
    );
    tenants.withTenant("acme", (db) => {
      db.$client.scheduler().add("nightly", "0 3 * * *", { queue: "jobs" });
      db.$client.queue("jobs").enqueue({ n: 2 }, { unique: { key: "k" } });
      db.$client.tryLock("leader", "me", 600);
    });
    await tenants.clone("acme", "globex");
    await tenants.clone("acme", "third", { work: "keep" });
    const work = (orgId: string): unknown =>
      tenants.withTenant(orgId, ({ $client }) => ({
        jobs: $client.rows("SELECT count(*) FROM _honker_live")[0]?.[0],
        schedules: $client.scheduler().list().length,
        locks: $client.locks().length,
      }));
    expect(work("globex")).toEqual({ jobs: 0, schedules: 0, locks: 0 });
    expect(work("third")).toEqual({ jobs: 2, schedules: 1, locks: 1 });
    expect(tenants.stats("globex").rows).toEqual({ graphs: 1, nodes: 1, edges: 0 });
    await expect(tenants.clone("acme", "globex", { work: "some" as "keep" })).rejects.toThrow(
      withCode("INVALID_ARGUMENT"),
    );
    await expect(tenants.clone("acme", "acme")).rejects.toThrow(withCode("ALREADY_EXISTS"));
    await expect(tenants.clone("nobody", "globex")).rejects.toThrow(withCode("NOT_FOUND"));
  });

  test("a clone does not answer calls that were made to the original, which still does", async () => {
    const { tenants } = filled();
    const call = { requestId: "r-1", operationId: "tasks.create" };
    const claim = (orgId: string): unknown =>
      tenants.withTenant(orgId, (db) => {
        using journal = createCallJournal(db, { owner: "hub" });
        return journal.begin(call);
      });
    tenants.withTenant("acme", (db) => {
      using journal = createCallJournal(db, { owner: "hub" });
      journal.runAtomic(call, () => 1);
    });
    await tenants.clone("acme", "globex");
    expect(claim("globex")).toBe("new");
    await tenants.archive("acme");
    await tenants.unarchive("acme");
    expect(claim("acme")).toMatchObject({ type: "responded" });
  });

  test("a second operation on the same tenant is refused, not waited for", async () => {
    const { tenants, path } = filled();
    const exporting = tenants.exportTo("acme", path);
    await expect(tenants.exportTo("acme", `${path}.2`)).rejects.toThrow(withCode("TENANT_BUSY"));
    await expect(tenants.archive("acme")).rejects.toThrow(withCode("TENANT_BUSY"));
    tenants.withTenant("acme", (db) => db.insert(graphs).values({ name: "still" }).run());
    await exporting;
    await tenants.archive("acme");
  });
});

test("closing the manager ends what is running, with the tenants as they were (M33)", async () => {
  const { manager, folder } = tenantsSetup(["acme", "globex", "third"]);
  const tenants = manager();
  tenants.create("acme");
  tenants.create("globex");
  const keeping = manager();
  const handle = keeping.open("acme");
  const running = [
    tenants.archive("acme", { waitMs: 60_000 }),
    tenants.clone("globex", "third"),
  ].map((call) => expect(call).rejects.toThrow(withCode("CLOSED")));
  tenants.close();
  await Promise.all(running);
  handle.close();
  expect(keeping.list()).toMatchObject([
    { orgId: "acme", state: "active", operation: null },
    { orgId: "globex", state: "active", operation: null },
  ]);
  expect(readdirSync(join(folder, "tmp"))).toEqual([]);
});

describe("deleting (M33)", () => {
  test.each(["", "ACME", "globex", "acme ", null, undefined, 1])(
    "with %j instead of the slug is refused",
    (confirm) => {
      const tenants = tenantsSetup().manager();
      tenants.create("acme");
      expect(() => tenants.delete("acme", { confirm: confirm as string })).toThrow(
        withCode("INVALID_ARGUMENT", "slug"),
      );
      expect(tenants.get("acme")?.state).toBe("active");
    },
  );

  test("waits for its time of grace, to the second", () => {
    const clock = new FakeClock();
    const { manager, folder } = tenantsSetup();
    const tenants = manager({ clock, graceSeconds: 60 });
    tenants.create("acme");
    const { purgeAfter } = tenants.delete("acme", { confirm: slugOf("acme") });
    expect(purgeAfter?.getTime()).toBe(clock.now() + 60_000);
    clock.advance(59_999);
    expect(tenants.purgeDue()).toEqual({ purged: [], postponed: [] });
    expect(tenants.undelete("acme").purgeAfter).toBeNull();
    clock.advance(60_000);
    expect(tenants.purgeDue().purged).toEqual([]);
    tenants.delete("acme", { confirm: "acme" });
    clock.advance(60_000);
    expect(tenants.purgeDue().purged).toEqual(["acme"]);
    expect(tenants.get("acme")).toBeNull();
    expect(readdirSync(folder).sort()).toEqual(["archive", "tmp"]);
    expect(tenants.create("acme").state).toBe("active");
  });

  test("a purge leaves what is in use to the next one, and takes archived and damaged ones", async () => {
    const ids = ["used", "archived", "damaged", "lost", "kept"];
    const { manager, folder } = tenantsSetup(ids);
    const tenants = manager({ graceSeconds: 0 });
    for (const id of ids) tenants.create(id);
    const handle = tenants.open("used");
    await tenants.archive("archived");
    for (const id of ids.slice(0, 4)) tenants.delete(id, { confirm: id });
    writeFileSync(join(folder, "tenant-damaged.db"), "x".repeat(5_000));
    rmSync(join(folder, "tenant-lost.db"));
    const { purged, postponed } = tenants.purgeDue();
    expect([...purged].sort()).toEqual(["archived", "damaged", "lost"]);
    expect(postponed).toEqual(["used"]);
    handle.close();
    expect(tenants.purgeDue()).toEqual({ purged: ["used"], postponed: [] });
    expect(readdirSync(folder).sort()).toEqual(["archive", "tenant-kept.db", "tmp"]);
    expect(readdirSync(join(folder, "archive"))).toEqual([]);
  });

  test("tells that the tenant is gone", async () => {
    const { manager, system } = tenantsSetup();
    const tenants = manager({ graceSeconds: 0 });
    tenants.create("acme");
    const changes = system.$client.listen<{ state: string }>("tenant:state_changed");
    const states: string[] = [];
    const listening = (async () => {
      for await (const { payload } of changes) states.push(payload.state);
    })();
    tenants.delete("acme", { confirm: "acme" });
    tenants.purgeDue();
    await eventually("all is told", () => states.length === 3);
    changes.close();
    await listening;
    expect(states).toEqual(["deleting", "purging", "removed"]);
  });
});

test("stats of a tenant that cannot be opened have its size only (M33)", async () => {
  const tenants = tenantsSetup().manager();
  tenants.create("acme");
  const active = tenants.stats("acme");
  expect(active).toMatchObject({ state: "active", rows: { graphs: 0, nodes: 0, edges: 0 } });
  await tenants.archive("acme");
  expect(tenants.stats("acme")).toEqual({ ...active, state: "archived", rows: null });
  expect(() => tenants.stats("globex")).toThrow(withCode("NOT_FOUND"));
});

test("a tenant that another hub owns is not touched (M33)", async () => {
  const { manager, folder } = tenantsSetup();
  const here = manager();
  here.create("acme");
  here.close();
  const { localTenantStore } = await import("@alkdev/storage/sqlite");
  const store = Object.assign(localTenantStore(folder), {
    ownerElsewhere: (orgId: string) => (orgId === "acme" ? "hub-2" : null),
  });
  const tenants = manager({ store, graceSeconds: 0 });
  const elsewhere = withCode("TENANT_ELSEWHERE", "hub-2");
  expect(() => tenants.open("acme")).toThrow(elsewhere);
  expect(() => tenants.suspend("acme")).toThrow(elsewhere);
  expect(() => tenants.delete("acme", { confirm: "acme" })).toThrow(elsewhere);
  expect(() => tenants.setQuota("acme", null)).toThrow(elsewhere);
  await expect(tenants.archive("acme")).rejects.toThrow(elsewhere);
  await expect(tenants.clone("acme", "globex")).rejects.toThrow(elsewhere);
  expect(tenants.create("globex").state).toBe("active");
});
