import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openCatalogQueue, systemCatalog } from "@alkdev/storage/catalog";
import {
  type BackupRetention,
  createTenantBackups,
  graphs,
  startBackupWorkers,
  type TenantBackupsOptions,
} from "@alkdev/storage/sqlite";
import { eventually, FakeClock } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tenantsSetup, withCode } from "./tenants-setup.ts";

const DAY_MS = 86_400_000;

function backupsOf(
  ids: readonly string[] = ["acme", "globex", "empty"],
  options: Partial<TenantBackupsOptions> = {},
) {
  const setup = tenantsSetup(ids);
  const tenants = setup.manager();
  for (const id of ids) if (id !== "empty") tenants.create(id);
  const folder = join(setup.folder, "..", "backups");
  const backups = createTenantBackups({ tenants, folder, ...options });
  const add = (id: string, name: string) =>
    tenants.withTenant(id, (db) => db.insert(graphs).values({ name }).run());
  const names = (id: string) =>
    tenants.withTenant(id, (db) =>
      db
        .select()
        .from(graphs)
        .all()
        .map(({ name }) => name),
    );
  return { ...setup, tenants, folder, backups, add, names };
}

describe("backups of tenants: what they refuse (M33)", () => {
  test.each([
    ["no folder", { folder: "" }],
    ["half a day", { retention: { daily: 0.5 } }],
    ["a negative number of weeks", { retention: { weekly: -1 } }],
  ])("%s", (_, options) => {
    expect(() => backupsOf(undefined, options)).toThrow(withCode("INVALID_ARGUMENT"));
  });

  test("a tenant that is not there, an id that leads elsewhere, a backup that is not there", async () => {
    const { backups, folder } = backupsOf();
    await expect(backups.backUp("empty")).rejects.toThrow(withCode("NOT_FOUND"));
    await expect(backups.backUp("../acme")).rejects.toThrow(withCode("INVALID_ARGUMENT"));
    for (const id of ["../acme/x", "acme", "acme/../../x", "/etc/passwd", "acme/x/y"]) {
      await expect(backups.verify(id)).rejects.toThrow(withCode("INVALID_ARGUMENT"));
    }
    await expect(backups.restore("acme/2026-01-01T00-00-00.000Z")).rejects.toThrow(
      withCode("NOT_FOUND"),
    );
    expect(backups.list()).toEqual([]);
    expect(readdirSync(join(folder, "empty"))).toEqual([]);
  });
});

describe("a backup of a tenant (M33)", () => {
  test("is a file with what is known of it beside it, found again by anybody", async () => {
    const { backups, folder, add, tenants } = backupsOf();
    add("acme", "one");
    const backup = await backups.backUp("acme");
    expect(backup).toEqual({
      id: expect.stringMatching(/^acme\/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/),
      orgId: "acme",
      path: join(folder, `${backup.id}.db`),
      takenAt: expect.any(Date),
      bytes: readFileSync(backup.path).length,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      version: tenants.newestVersion,
      rows: expect.objectContaining({ graphs: 1, nodes: 0, _honker_live: 0 }),
    });
    expect(readdirSync(folder).sort()).toEqual([".verify", "acme"]);
    expect(readdirSync(join(folder, ".verify"))).toEqual([]);
    expect(createTenantBackups({ tenants, folder }).list()).toEqual([backup]);
    expect(backups.newest("acme")).toEqual(backup);
    expect(backups.newest("globex")).toBeNull();
    expect(await backups.verify(backup.id)).toEqual(backup);
  });

  test("is made while the tenant is in use, suspended or archived", async () => {
    const { backups, tenants, add } = backupsOf();
    add("acme", "one");
    using _ = tenants.open("acme");
    expect((await backups.backUp("acme")).rows["graphs"]).toBe(1);
    tenants.suspend("globex");
    expect((await backups.backUp("globex")).rows["graphs"]).toBe(0);
    await tenants.archive("globex");
    expect((await backups.backUp("globex")).rows["graphs"]).toBe(0);
    expect(backups.list()).toHaveLength(3);
    expect(backups.list("globex")).toHaveLength(2);
  });

  test("becomes a tenant of another name, and the first one goes on", async () => {
    const { backups, add, names, tenants } = backupsOf();
    add("acme", "before");
    const { id } = await backups.backUp("acme");
    add("acme", "after");
    expect(await backups.restore(id, { as: "empty" })).toMatchObject({
      orgId: "empty",
      state: "active",
    });
    expect(names("empty")).toEqual(["before"]);
    expect(names("acme")).toEqual(["before", "after"]);
    await expect(backups.restore(id, { as: "globex" })).rejects.toThrow(withCode("ALREADY_EXISTS"));
    expect(tenants.list().map(({ orgId }) => orgId)).toEqual(["acme", "empty", "globex"]);
  });

  test("takes the place of the tenant it is of, once that is archived", async () => {
    const { backups, add, names, tenants } = backupsOf();
    add("acme", "before");
    const { id } = await backups.backUp("acme");
    add("acme", "after");
    tenants.setQuota("acme", { maxGraphs: 1 });
    await expect(backups.restore(id)).rejects.toThrow(withCode("TENANT_STATE", "archive()"));
    expect(names("acme")).toEqual(["before", "after"]);
    await tenants.archive("acme");
    expect(await backups.restore(id)).toMatchObject({ state: "active", quota: { maxGraphs: 1 } });
    expect(names("acme")).toEqual(["before"]);
    expect(() => add("acme", "more")).toThrow(withCode("QUOTA_EXCEEDED"));
  });

  test("that was changed, cut, or is another's is not restored, and the tenant stays as it is", async () => {
    const { backups, tenants, folder, names } = backupsOf();
    const { id, path } = await backups.backUp("acme");
    const whole = readFileSync(path);
    const spoilt = Buffer.from(whole);
    spoilt[whole.length - 10] = (spoilt[whole.length - 10] ?? 0) ^ 1;
    await tenants.archive("acme");
    for (const bytes of [spoilt, whole.subarray(0, 5_000), Buffer.alloc(0)]) {
      writeFileSync(path, bytes);
      for (const use of [() => backups.verify(id), () => backups.restore(id)]) {
        await expect(use()).rejects.toThrow(withCode("TENANT_FILE", "SHA-256"));
      }
    }
    rmSync(path);
    await expect(backups.verify(id)).rejects.toThrow(withCode("TENANT_FILE", "no such file"));
    const other = await backups.backUp("globex");
    const manifest = join(folder, `${id}.json`);
    const text = readFileSync(manifest, "utf8");
    writeFileSync(manifest, JSON.stringify({ ...JSON.parse(text), sha256: other.sha256 }));
    writeFileSync(path, readFileSync(other.path));
    await expect(backups.verify(id)).rejects.toThrow(withCode("TENANT_FILE", "belongs to globex"));
    writeFileSync(manifest, "{");
    expect(() => backups.list()).toThrow(withCode("TENANT_FILE", "cannot be read"));
    tenants.unarchive("acme");
    expect(names("acme")).toEqual([]);
  });

  test("whose rows are not those that it had is not called good", async () => {
    const { backups, folder, add } = backupsOf();
    add("acme", "one");
    const { id } = await backups.backUp("acme");
    const manifest = join(folder, `${id}.json`);
    const known = JSON.parse(readFileSync(manifest, "utf8"));
    known.rows.graphs = 2;
    writeFileSync(manifest, JSON.stringify(known));
    await expect(backups.verify(id)).rejects.toThrow(withCode("TENANT_FILE", '1 rows of "graphs"'));
  });

  test("that was not finished is none, and is removed later", async () => {
    const { backups, folder } = backupsOf();
    mkdirSync(join(folder, "acme"), { recursive: true });
    mkdirSync(join(folder, ".verify"));
    const left = [
      join(folder, "acme", "2026-01-01T00-00-00.000Z.db"),
      join(folder, "acme", "2026-01-01T00-00-00.000Z.json.partial"),
      join(folder, ".verify", "x.db"),
    ];
    for (const path of left) writeFileSync(path, "half");
    expect(backups.list()).toEqual([]);
    await backups.backUp("acme");
    expect(left.map(existsSync)).toEqual([true, true, true]);
    for (const path of left) utimesSync(path, 0, 0);
    await backups.backUp("acme");
    expect(left.map(existsSync)).toEqual([false, false, false]);
    expect(backups.list()).toHaveLength(2);
  });

  test("is ended by its signal, and leaves no backup", async () => {
    const { backups } = backupsOf();
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(backups.backUp("acme", { signal })).rejects.toThrow("enough");
    expect(backups.list()).toEqual([]);
  });
});

describe("retention of backups (M33)", () => {
  test("keeps the last ones, the newest of each day and of each week", async () => {
    const clock = new FakeClock(Date.UTC(2026, 0, 1, 12));
    const { backups, folder } = backupsOf(["acme"], {
      clock,
      retention: { last: 2, daily: 3, weekly: 2 },
    });
    // Thursday to Saturday of the next week, twice a day
    for (let i = 0; i < 20; i++) {
      await backups.backUp("acme");
      clock.advance(DAY_MS / 2);
    }
    const removed = backups.prune("acme");
    const kept = backups.list("acme").map(({ takenAt }) => takenAt.toISOString().slice(0, 13));
    expect(kept).toEqual(["2026-01-04T12", "2026-01-09T12", "2026-01-10T12", "2026-01-11T00"]);
    expect(removed).toHaveLength(16);
    expect(readdirSync(join(folder, "acme"))).toHaveLength(8);
    expect(backups.prune()).toEqual([]);
  });

  test("never takes the newest, and what is kept once is kept by a wider rule", async () => {
    const { backups, folder, tenants } = backupsOf(["acme"]);
    const at = (ms: number) => ({ now: () => ms });
    const days = fc.array(fc.integer({ min: 0, max: 100 * DAY_MS }), {
      minLength: 1,
      maxLength: 12,
    });
    const rule = fc.integer({ min: 0, max: 5 });
    const { path } = await backups.backUp("acme");
    const copy = readFileSync(path);
    await fc.assert(
      fc.asyncProperty(days, rule, rule, rule, async (times, last, daily, weekly) => {
        rmSync(folder, { recursive: true, force: true });
        mkdirSync(join(folder, "acme"), { recursive: true });
        for (const ms of new Set(times)) {
          const name = new Date(ms).toISOString();
          const file = join(folder, "acme", name.replaceAll(":", "-"));
          writeFileSync(`${file}.db`, copy.subarray(0, 1));
          writeFileSync(`${file}.json`, JSON.stringify({ orgId: "acme", takenAt: name, rows: {} }));
        }
        const newest = backups.newest("acme")?.id;
        const left = (retention: BackupRetention) => {
          const own = createTenantBackups({ tenants, folder, retention, clock: at(0) });
          own.prune();
          return own.list().map(({ id }) => id);
        };
        const wide = left({ last: last + 1, daily: daily + 1, weekly: weekly + 1 });
        const narrow = left({ last, daily, weekly });
        expect(narrow).toContain(newest);
        expect(wide).toEqual(expect.arrayContaining(narrow));
        expect(narrow.length).toBeLessThanOrEqual(Math.max(last, 1) + daily + weekly);
      }),
      { numRuns: 30 },
    );
  });
});

describe("scheduled backups (M33)", () => {
  test("each tenant is backed up, and old backups go", async () => {
    const { system, tenants, backups } = backupsOf(undefined, {
      retention: { last: 1, daily: 0, weekly: 0 },
    });
    await tenants.archive("globex");
    await using _ = startBackupWorkers({ tenants, system, backups, schedule: "@every 1s" });
    await eventually(
      "both were backed up",
      () => {
        const [acme, globex] = ["acme", "globex"].map((id) =>
          backups.newest(id)?.takenAt.getTime(),
        );
        return (
          acme !== undefined && globex !== undefined && system.$client.stats().queues.length > 0
        );
      },
      20_000,
    );
    const first = backups.newest("acme")?.id;
    await eventually(
      "the next one replaced it",
      () => {
        const all = backups.list("acme");
        return all.length === 1 && all[0]?.id !== first;
      },
      20_000,
    );
  });

  test("a tenant that is gone is no failure; one whose file is damaged is a dead letter", async () => {
    const { system, tenants, backups, folder } = backupsOf(["acme", "globex"]);
    const queue = openCatalogQueue(
      { db: system.$client, entries: systemCatalog.queues },
      "tenant-backup",
    );
    const gone = queue.enqueue({ task: "back-up", orgId: "nobody" });
    writeFileSync(join(folder, "..", "tenants", "tenant-globex.db"), "x".repeat(5_000));
    const broken = queue.enqueue({ task: "back-up", orgId: "globex" }, { maxAttempts: 1 });
    const whole = queue.enqueue({ task: "back-up", orgId: "acme" });
    await using _ = startBackupWorkers({ tenants, system, backups, schedules: "leave" });
    const wait = { timeoutMs: 20_000 };
    expect(await system.$client.waitResult(gone, wait)).toEqual({ skipped: "NOT_FOUND" });
    expect(await system.$client.waitResult(whole, wait)).toMatchObject({ removed: [] });
    const dead = await eventually("it is dead", () => queue.dead.list()[0]);
    expect(dead).toMatchObject({ id: broken, error: expect.stringContaining("damaged") });
  });

  test("the schedule stays as it was changed", async () => {
    const { system, tenants, backups } = backupsOf();
    await startBackupWorkers({ tenants, system, backups, schedules: "leave" }).stop();
    const scheduler = system.$client.scheduler();
    expect(scheduler.get("tenant-backups")).toMatchObject({ expression: "0 2 * * *" });
    scheduler.update("tenant-backups", { expression: "0 5 * * *" });
    await startBackupWorkers({ tenants, system, backups, schedules: "leave" }).stop();
    expect(scheduler.get("tenant-backups")).toMatchObject({ expression: "0 5 * * *" });
  });
});
