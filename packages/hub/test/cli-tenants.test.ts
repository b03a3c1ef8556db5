import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { cli, sharedFolder } from "./cli-fixture.ts";

const folder = sharedFolder();
const { run, json } = cli(folder);

describe("alkdev tenant (M44, M33)", () => {
  it("creates, limits, suspends, archives and brings back", async () => {
    await json(["init", "--org", "acme"]);
    const quota = ["tenant", "quota", "acme", "--max-bytes", "50MB", "--max-nodes", "1000"];
    expect(await json(quota)).toMatchObject({ quota: { maxBytes: 50_000_000, maxNodes: 1_000 } });
    expect(await json(["tenant", "suspend", "acme"])).toMatchObject({ state: "suspended" });
    const refused = await run(["queue", "list", "--org", "acme"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("is suspended");
    await json(["tenant", "resume", "acme"]);
    const archived = await run(["tenant", "archive", "acme"]);
    expect(archived.stdout).toBe("The tenant of acme is archived.\n");
    await json(["tenant", "unarchive", "acme"]);
    const stats = await json<{ state: string; rows: object; quota: object }>([
      ...["tenant", "stats", "acme"],
    ]);
    expect(stats).toMatchObject({
      state: "active",
      rows: { graphs: 0, nodes: 0, edges: 0 },
      quota: { maxNodes: 1_000 },
    });
  });

  it("exports, imports and clones, with the jobs or without them", async () => {
    const enqueue = ["queue", "enqueue", "graph-maintenance", "--org", "acme"];
    await json([...enqueue, '{"task":"prune-events"}']);
    const file = join(folder, "acme.db");
    const exported = await json<{ sha256: string }>(["tenant", "export", "acme", file]);
    expect(exported.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect((await run(["tenant", "export", "acme", file])).code).toBe(1);
    for (const slug of ["beta", "gamma"]) {
      await json(["org", "create", slug, "--owner", "admin@localhost", "--no-tenant"]);
    }
    await json(["tenant", "import", "beta", file]);
    await json(["tenant", "clone", "acme", "gamma"]);
    const queues = async (org: string): Promise<unknown> =>
      (await json<{ queues: { pending: number }[] }>(["queue", "list", "--org", org])).queues.map(
        ({ pending }) => pending,
      );
    expect([await queues("beta"), await queues("gamma")]).toEqual([[1], []]);
  });

  it("restores an archived tenant from an export when that is confirmed, and refuses a damaged one", async () => {
    const file = join(folder, "acme.db");
    await json(["tenant", "archive", "beta"]);
    expect((await run(["tenant", "restore", "beta", file])).code).toBe(4);
    const bad = join(folder, "bad.db");
    writeFileSync(bad, "no database at all");
    const refused = await run(["tenant", "restore", "beta", bad, "--yes"]);
    expect(refused.code).toBe(1);
    const restored = await json(["tenant", "restore", "beta", file, "--yes"]);
    expect(restored).toMatchObject({ org: "beta", state: "active" });
  });

  it("deletes with --yes only, and brings back within the time of grace", async () => {
    const { code, stderr } = await run(["tenant", "delete", "gamma"]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/^alkdev: not confirmed: .*Give --yes if that is meant\n$/);
    const deleted = await json<{ purgeAfter: string }>(["tenant", "delete", "gamma", "--yes"]);
    expect(new Date(deleted.purgeAfter).getTime()).toBeGreaterThan(Date.now() + 6 * 86_400_000);
    const { tenants } = await json<{ tenants: { org: string; state: string; file: string }[] }>([
      "tenant",
      "list",
    ]);
    expect(tenants.map(({ org, state }) => `${org} ${state}`).sort()).toEqual([
      "acme active",
      "beta active",
      "gamma deleting",
    ]);
    await json(["tenant", "undelete", "gamma"]);
    for (const { file } of tenants) {
      expect(existsSync(join(folder, "data", "tenants", file))).toBe(true);
    }
  });

  it("says who is at which version, and migrates nobody where nobody is behind (M34)", async () => {
    const status = await json(["tenants", "status"]);
    expect(status).toMatchObject({ current: 3, behind: [], newer: [], latest: null });
    const migrated = await json<{ counts: { total: number }; failed: unknown[] }>([
      ...["tenants", "migrate", "--backup", join(folder, "before")],
    ]);
    expect([migrated.counts.total, migrated.failed]).toEqual([0, []]);
    const paused = await run(["tenants", "pause", "--json"]);
    expect(JSON.parse(paused.stderr).error.code).toBe("MIGRATION_STATE");
  });
});

/** A folder as drizzle-kit writes it, with one migration. */
function migrationsFolder(): string {
  const folder = tempFolder();
  mkdirSync(join(folder, "meta"));
  const entry = {
    idx: 0,
    version: "6",
    when: 1_700_000_000_000,
    tag: "0000_tasks",
    breakpoints: true,
  };
  const journal = { version: "7", dialect: "sqlite", entries: [entry] };
  writeFileSync(join(folder, "meta", "_journal.json"), JSON.stringify(journal));
  writeFileSync(
    join(folder, "0000_tasks.sql"),
    "CREATE TABLE `tasks` (`id` integer PRIMARY KEY NOT NULL, `title` text);\n",
  );
  return folder;
}

describe("tables of the application (M34, M44)", () => {
  it("are brought to every tenant by alkdev tenants migrate", async () => {
    const own = cli(tempFolder());
    await own.json(["init", "--org", "acme"]);
    const tables = ["--tables", migrationsFolder()];
    const before = await own.json(["tenants", "status", ...tables]);
    expect(before).toMatchObject({ current: 0, behind: [expect.anything()] });
    const migrated = await own.json(["tenants", "migrate", "--no-backup", ...tables]);
    expect(migrated).toMatchObject({ run: { state: "done" }, counts: { done: 1 } });
    const after = await own.json(["tenants", "status", ...tables]);
    expect(after).toMatchObject({ current: 1, behind: [] });
  });
});
