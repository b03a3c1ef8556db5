import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  createSystemDatabase,
  graphs,
  type TenantHandle,
  type TenantManager,
  uuidV7,
} from "@alkdev/storage/sqlite";
import { FakeClock } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tenantsSetup, withCode } from "./tenants-setup.ts";

const WRONG_IDS: readonly unknown[] = [
  "",
  ".",
  "..",
  "../acme",
  "a/b",
  "a\\b",
  "acme\0",
  "acme.db",
  "ac me",
  "acmé",
  "acme\u202e",
  "😀",
  "CON",
  "nul",
  "com1",
  "x".repeat(65),
  "x".repeat(10_000_000),
  null,
  undefined,
  7,
  Number.NaN,
  2 ** 53,
  Buffer.from("acme"),
  {},
];

describe("ids of organisations (M33)", () => {
  test("what cannot be part of a file name is refused by every call", async () => {
    const setup = tenantsSetup();
    const tenants = setup.manager();
    tenants.create("acme");
    for (const wrong of WRONG_IDS) {
      const id = wrong as string;
      const sync: readonly (() => unknown)[] = [
        () => tenants.create(id),
        () => tenants.open(id),
        () => tenants.withTenant(id, () => 1),
        () => tenants.get(id),
        () => tenants.stats(id),
        () => tenants.suspend(id),
        () => tenants.resume(id),
        () => tenants.unarchive(id),
        () => tenants.delete(id, { confirm: "acme" }),
        () => tenants.undelete(id),
        () => tenants.setQuota(id, null),
      ];
      for (const call of sync) expect(call).toThrow(withCode("INVALID_ARGUMENT"));
      const calls: readonly Promise<unknown>[] = [
        tenants.archive(id),
        tenants.exportTo(id, join(setup.folder, "..", "x.db")),
        tenants.importFrom("x.db", id),
        tenants.clone(id, "globex"),
        tenants.clone("acme", id),
      ];
      for (const call of calls) await expect(call).rejects.toThrow(withCode("INVALID_ARGUMENT"));
    }
    expect(readdirSync(setup.folder).sort()).toEqual(["archive", "tenant-acme.db", "tmp"]);
  });

  test("one that was let through names exactly one file of the folder", () => {
    const setup = tenantsSetup([]);
    const tenants = setup.manager();
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 70 }), (id) => {
        try {
          tenants.get(id);
        } catch {
          return;
        }
        expect(id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
      }),
    );
  });

  test("two that differ in case alone do not share a file", () => {
    const setup = tenantsSetup([]);
    setup.system.$client.execute(
      "INSERT INTO accounts (id, email, display_name, access_level) VALUES ('o', 'o@x.y', 'o', 'user')",
    );
    for (const id of ["Acme", "acme"]) {
      setup.system.$client.execute(
        "INSERT INTO organizations (id, name, slug, owner_id) VALUES (?, ?, ?, 'o')",
        [id, `n-${uuidV7()}`, `s-${uuidV7()}`],
      );
    }
    const tenants = setup.manager();
    tenants.create("Acme");
    expect(() => tenants.create("acme")).toThrow(withCode("ALREADY_EXISTS", "case"));
  });
});

describe("creating (M33)", () => {
  test("is refused without an organisation, twice, and inside a transaction", () => {
    const { manager, system } = tenantsSetup();
    const tenants = manager();
    expect(() => tenants.create("initech")).toThrow(withCode("NOT_FOUND", "initech"));
    tenants.create("acme");
    expect(() => tenants.create("acme")).toThrow(withCode("ALREADY_EXISTS", "acme"));
    expect(() => system.transaction(() => void tenants.create("globex"))).toThrow(
      withCode("TRANSACTION_STATE"),
    );
    expect(tenants.list().map(({ orgId }) => orgId)).toEqual(["acme"]);
  });

  test("is refused where a file that no tenant owns is in the way, and touches it not", () => {
    const { manager, folder } = tenantsSetup();
    const tenants = manager();
    writeFileSync(join(folder, "tenant-acme.db"), "mine");
    expect(() => tenants.create("acme")).toThrow(withCode("TENANT_FILE", "tenant-acme.db"));
    expect(tenants.get("acme")).toBeNull();
    rmSync(join(folder, "tenant-acme.db"));
    expect(tenants.create("acme").state).toBe("active");
  });

  test("makes a tenant whose file knows its organisation, and leaves nothing beside it", () => {
    const { manager, folder } = tenantsSetup();
    const tenants = manager();
    const created = tenants.create("acme");
    tenants.create("globex");
    expect(created).toEqual({
      orgId: "acme",
      state: "active",
      file: "tenant-acme.db",
      quota: null,
      version: tenants.newestVersion,
      purgeAfter: null,
      operation: null,
      createdAt: expect.any(Date),
      updatedAt: expect.any(Date),
    });
    expect(readdirSync(folder).sort()).toEqual([
      "archive",
      "tenant-acme.db",
      "tenant-globex.db",
      "tmp",
    ]);
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
    for (const orgId of ["acme", "globex"]) {
      using handle = tenants.open(orgId);
      expect(
        handle.db.$client.rows("SELECT value FROM _alk_storage_state WHERE key = 'org_id'"),
      ).toEqual([[orgId]]);
    }
  });

  test("tells what it does in the same commits", async () => {
    const { manager, system } = tenantsSetup();
    const tenants = manager();
    const changes = system.$client.listen("tenant:state_changed");
    tenants.create("acme");
    const seen: unknown[] = [];
    for await (const { payload } of changes) if (seen.push(payload) === 2) break;
    expect(seen).toEqual([
      { orgId: "acme", state: "creating" },
      { orgId: "acme", state: "active" },
    ]);
  });

  test("an organisation with a tenant cannot be deleted", () => {
    const { manager, system } = tenantsSetup();
    manager().create("acme");
    expect(() => system.$client.execute("DELETE FROM organizations WHERE id = 'acme'")).toThrow(
      withCode("CONSTRAINT"),
    );
  });
});

describe("opening (M33)", () => {
  test("is refused for a tenant that is not there", () => {
    const tenants = tenantsSetup().manager();
    expect(() => tenants.open("acme")).toThrow(withCode("NOT_FOUND", "acme"));
  });

  test.each([
    ["missing", "is missing", (path: string) => rmSync(path)],
    ["empty", "is empty", (path: string) => writeFileSync(path, "")],
    ["damaged", "is damaged", (path: string) => writeFileSync(path, "x".repeat(8_192))],
    [
      "a symbolic link",
      "symbolic link",
      (path: string) => {
        renameSync(path, `${path}.moved`);
        symlinkSync(`${path}.moved`, path);
      },
    ],
    [
      "a folder",
      "not a file",
      (path: string) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
    [
      "another tenant's",
      'belongs to organisation "globex"',
      (path: string) => copyFileSync(path.replace("acme", "globex"), path),
    ],
    [
      "nobody's",
      "belongs to no organisation",
      (path: string) => {
        rmSync(path);
        open(path).close();
      },
    ],
    [
      "the system's",
      "belongs to no organisation",
      (path: string) => {
        rmSync(path);
        createSystemDatabase(open(path)).$client.close();
      },
    ],
  ])("a file that is %s is refused, the others go on working", (_what, message, spoil) => {
    const { manager, folder } = tenantsSetup();
    const tenants = manager();
    tenants.create("acme");
    tenants.create("globex");
    spoil(join(folder, "tenant-acme.db"));
    expect(() => tenants.open("acme")).toThrow(withCode("TENANT_FILE", message));
    expect(() => tenants.open("acme")).toThrow(withCode("TENANT_FILE"));
    expect(tenants.openFiles).toEqual({ open: 0, idle: 0 });
    expect(tenants.withTenant("globex", (db) => db.select().from(graphs).all())).toEqual([]);
  });

  test("a file of a newer version is refused, the others go on working", () => {
    const { manager, folder } = tenantsSetup();
    const tenants = manager();
    tenants.create("acme");
    tenants.create("globex");
    const client = open(join(folder, "tenant-acme.db"));
    client.execute("INSERT INTO _alk_storage_migrations VALUES (99, 'tenant', 'future', 0)");
    client.close();
    expect(() => tenants.open("acme")).toThrow(withCode("UNKNOWN_SCHEMA", "99"));
    expect(tenants.openFiles.open - tenants.openFiles.idle).toBe(0);
    expect(tenants.withTenant("globex", (db) => db.select().from(graphs).all())).toEqual([]);
  });

  test("a closed handle and a closed manager refuse everything", () => {
    const { manager } = tenantsSetup();
    const tenants = manager();
    tenants.create("acme");
    const handle = tenants.open("acme");
    handle.close();
    handle.close();
    expect(() => handle.db).toThrow(withCode("CLOSED", "acme"));
    const open = tenants.open("acme");
    const { $client } = open.db;
    tenants.close();
    tenants.close();
    expect($client.open).toBe(false);
    expect(() => open.db).toThrow(withCode("CLOSED"));
    for (const call of [
      () => tenants.open("acme"),
      () => tenants.list(),
      () => tenants.recover(),
    ]) {
      expect(call).toThrow(withCode("CLOSED"));
    }
  });

  test("two handles of a tenant share its file; each takes its own listeners along", async () => {
    const tenants = tenantsSetup().manager();
    tenants.create("acme");
    using first = tenants.open("acme");
    const second = tenants.open("acme");
    const ended = second.db.$client.listen("x");
    const going = first.db.$client.listen("x");
    second.close();
    first.db.$client.notify("x", 1);
    expect(await ended.next()).toMatchObject({ done: true });
    expect((await going.next()).value?.payload).toBe(1);
    expect(tenants.openFiles).toEqual({ open: 1, idle: 0 });
  });
});

describe("withTenant (M33)", () => {
  test("gives the handle back when the work returns, throws, resolves or rejects", async () => {
    const tenants = tenantsSetup().manager();
    tenants.create("acme");
    const idle = { open: 1, idle: 1 };
    expect(tenants.withTenant("acme", () => 7)).toBe(7);
    expect(tenants.openFiles).toEqual(idle);
    expect(() =>
      tenants.withTenant("acme", () => {
        throw new Error("on purpose");
      }),
    ).toThrow("on purpose");
    expect(tenants.openFiles).toEqual(idle);
    const pending = tenants.withTenant("acme", async (db) => {
      await Promise.resolve();
      return db.select().from(graphs).all();
    });
    expect(tenants.openFiles).toEqual({ open: 1, idle: 0 });
    expect(await pending).toEqual([]);
    expect(tenants.openFiles).toEqual(idle);
    // a query of Drizzle is a thenable, run when it is awaited
    expect(await tenants.withTenant("acme", (db) => db.select().from(graphs))).toEqual([]);
    await expect(
      tenants.withTenant("acme", async () => {
        throw new Error("later");
      }),
    ).rejects.toThrow("later");
    expect(tenants.openFiles).toEqual(idle);
  });
});

describe("open files (M33)", () => {
  const ids = Array.from({ length: 8 }, (_, i) => `org-${i}`);

  function created(maxOpen: number): TenantManager {
    const tenants = tenantsSetup(ids).manager({ maxOpen });
    for (const id of ids) tenants.create(id);
    return tenants;
  }

  test.each([0, -1, 1.5, Number.NaN, "8"])("maxOpen %s is refused", (maxOpen) => {
    const setup = tenantsSetup([]);
    expect(() => setup.manager({ maxOpen: maxOpen as number })).toThrow(
      withCode("INVALID_ARGUMENT", "maxOpen"),
    );
  });

  test("those in use are never closed, beyond maxOpen they are closed when given back", () => {
    const tenants = created(3);
    const handles = ids.map((id) => tenants.open(id));
    expect(tenants.openFiles).toEqual({ open: 8, idle: 0 });
    for (const handle of handles) expect(handle.db.select().from(graphs).all()).toEqual([]);
    for (const handle of handles) handle.close();
    expect(tenants.openFiles).toEqual({ open: 3, idle: 3 });
  });

  test("are at most maxOpen, the least recently used goes first: as a model says", () => {
    const tenants = created(3);
    const step = fc.record({ id: fc.constantFrom(...ids), close: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const inUse = new Map<string, TenantHandle[]>();
        let idle: string[] = [];
        for (const id of ids) tenants.evict(id);
        const giveBack = (id: string): void => {
          const handles = inUse.get(id) ?? [];
          handles.pop()?.close();
          if (handles.length > 0) return;
          inUse.delete(id);
          if (inUse.size + idle.length < 3) idle.push(id);
        };
        for (const { id, close } of steps) {
          if (close) {
            if (inUse.has(id)) giveBack(id);
          } else {
            if (!inUse.has(id) && !idle.includes(id)) {
              while (idle.length > 0 && inUse.size + idle.length >= 3) idle.shift();
            }
            idle = idle.filter((other) => other !== id);
            inUse.set(id, [...(inUse.get(id) ?? []), tenants.open(id)]);
          }
          expect(tenants.openFiles).toEqual({ open: inUse.size + idle.length, idle: idle.length });
        }
        for (const id of [...inUse.keys()]) while (inUse.has(id)) giveBack(id);
      }),
      { numRuns: 60 },
    );
  });

  test("evict closes an idle one and leaves one in use", () => {
    const tenants = created(8);
    const handle = tenants.open("org-0");
    expect(tenants.evict("org-0")).toBe(false);
    handle.close();
    expect(tenants.evict("org-0")).toBe(true);
    expect(tenants.evict("org-0")).toBe(true);
    expect(tenants.openFiles).toEqual({ open: 0, idle: 0 });
  });
});

test("the clock of the manager gives the times (M33)", () => {
  const clock = new FakeClock(Date.UTC(2030, 0, 1));
  const tenants = tenantsSetup().manager({ clock });
  tenants.create("acme");
  clock.advance(5_000);
  const suspended = tenants.suspend("acme");
  expect(suspended.createdAt).toEqual(new Date("2030-01-01T00:00:00Z"));
  expect(suspended.updatedAt).toEqual(new Date("2030-01-01T00:00:05Z"));
});

test("the folder of a manager is made, and must be a path (M33)", () => {
  const setup = tenantsSetup();
  for (const folder of ["", " ", "a\0b", null, 7]) {
    expect(() => setup.manager({ folder: folder as string })).toThrow(withCode("INVALID_ARGUMENT"));
  }
  const folder = join(setup.folder, "deep", "er");
  setup.manager({ folder });
  expect(existsSync(join(folder, "archive"))).toBe(true);
});
