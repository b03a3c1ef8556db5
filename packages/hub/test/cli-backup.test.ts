import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { beforeAll, describe, expect, it } from "vitest";
import { cli, sharedFolder } from "./cli-fixture.ts";

const folder = sharedFolder();
const { run, json } = cli(folder);
const backup = join(folder, "backup");

interface Taken {
  readonly files: readonly { readonly name: string; readonly orgId: string | null }[];
  readonly leftOut: readonly { readonly orgId: string }[];
}

beforeAll(async () => {
  await json(["init", "--org", "acme"]);
  for (const slug of ["beta", "gamma"]) {
    await json(["org", "create", slug, "--owner", "admin@localhost"]);
  }
  const enqueue = ["queue", "enqueue", "graph-maintenance", '{"task":"prune-events"}'];
  await json([...enqueue, "--org", "acme"]);
  await json(["tenant", "archive", "beta"]);
  await json(["tenant", "delete", "gamma", "--yes"]);
}, 30_000);

describe("alkdev backup, verify and restore (M44, M13)", () => {
  it("copies everything that is there, says what it leaves out, and can be verified", async () => {
    const taken = await json<Taken>(["backup", backup]);
    expect(taken.files.map(({ orgId }) => orgId === null)).toEqual([true, false, false]);
    expect(taken.leftOut).toHaveLength(1);
    expect((await run(["backup", backup])).code).toBe(1);
    const { code, stdout } = await run(["verify", backup]);
    expect(code).toBe(0);
    expect(stdout.match(/ good /g)).toHaveLength(3);
    expect(readdirSync(backup).sort()).toEqual(
      ["backup.json", ...taken.files.map(({ name }) => name)].sort(),
    );
  });

  it("restores into a new folder, where everything is as it was", async () => {
    const { run: runThere, json: jsonThere } = cli(join(folder, "elsewhere"));
    const restored = await jsonThere(["restore", backup]);
    expect(restored).toMatchObject({ tenants: 2, unknown: [] });
    const { tenants } = await jsonThere<{ tenants: { org: string; state: string }[] }>([
      ...["tenant", "list"],
    ]);
    expect(tenants.map(({ org, state }) => `${org} ${state}`).sort()).toEqual([
      "acme active",
      "beta archived",
      "gamma deleting",
    ]);
    const stats = ["queue", "stats", "graph-maintenance", "--org", "acme"];
    expect(await jsonThere(stats)).toMatchObject({ ready: 1 });
    await jsonThere(["tenant", "unarchive", "beta"]);
    expect(await jsonThere(["tenant", "stats", "beta"])).toMatchObject({ state: "active" });
    const again = await runThere(["restore", backup]);
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toContain("is not empty");
  });

  it("uses nothing of a restore that ended halfway, and goes on with it when it is run again", async () => {
    const { files } = await json<Taken>(["backup", join(folder, "torn")]);
    const last = join(folder, "torn", files.at(-1)?.name as string);
    renameSync(last, `${last}.away`);
    const there = cli(join(folder, "halfway"));
    expect((await there.run(["restore", join(folder, "torn")])).code).toBe(3);
    const refused = await there.run(["org", "list"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("Run the same alkdev restore again");
    expect((await there.run(["hub"])).code).toBe(2);
    expect((await there.run(["restore", backup])).code).toBe(1);
    renameSync(`${last}.away`, last);
    expect(await there.json(["restore", join(folder, "torn")])).toMatchObject({ tenants: 2 });
    expect((await there.json<{ orgs: unknown[] }>(["org", "list"])).orgs).toHaveLength(3);
  });

  it("finds a file that was changed, one that is missing, and refuses to restore from them", async () => {
    const { files } = await json<Taken>(["backup", join(folder, "bad")]);
    const [, changed, missing] = files.map(({ name }) => join(folder, "bad", name));
    const bytes = readFileSync(changed as string);
    bytes.writeUInt8(bytes.readUInt8(9_000) ^ 1, 9_000);
    writeFileSync(changed as string, bytes);
    rmSync(missing as string);
    const { code, stdout } = await run(["verify", join(folder, "bad"), "--json"]);
    expect(code).toBe(5);
    const found = JSON.parse(stdout) as { files: { ok: boolean; problem: string | null }[] };
    expect(found.files.map(({ ok }) => ok)).toEqual([true, false, false]);
    expect(found.files[1]?.problem).toContain("it was changed");
    expect(found.files[2]?.problem).toBe("it is missing");
    const { run: runThere } = cli(join(folder, "from-bad"));
    const refused = await runThere(["restore", join(folder, "bad")]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("was changed since the backup was taken");
  });

  it("takes no names from a list of files that lead out of the backup", async () => {
    const evil = join(folder, "evil");
    await json(["backup", evil]);
    const list = JSON.parse(readFileSync(join(evil, "backup.json"), "utf8")) as Taken;
    const files = [{ ...list.files[0], name: "../data/system.db" }];
    writeFileSync(join(evil, "backup.json"), JSON.stringify({ ...list, files }));
    expect((await run(["verify", evil])).code).toBe(2);
    expect((await run(["verify", join(folder, "data")])).code).toBe(3);
  });
});

describe("alkdev doctor (M44, M13)", () => {
  it("finds nothing in a healthy installation, and says what it did not look at", async () => {
    const { code, stdout } = await run(["doctor"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/not looked at: it is archived/);
    expect(stdout).toMatch(/Nothing is wrong in 2 files\.\n$/);
  });

  it("finds a schema that was changed by hand and a job that is over; repairs what it may", async () => {
    const { tenants } = await json<{ tenants: { org: string; file: string }[] }>([
      ...["tenant", "list"],
    ]);
    const acme = tenants.find(({ org }) => org === "acme");
    {
      using db = open(join(folder, "data", "tenants", acme?.file as string));
      db.execute("CREATE TABLE notes (text TEXT)");
      db.queue("graph-maintenance").claimOne("gone");
      db.execute("UPDATE _honker_live SET claim_expires_at = 1, attempts = max_attempts");
    }
    const { code, stdout } = await run(["doctor", "--org", "acme", "--json"]);
    expect(code).toBe(5);
    const found = JSON.parse(stdout) as { files: { findings: { code: string }[] }[] };
    const codes = found.files[0]?.findings.map((finding) => finding.code);
    expect(codes).toContain("EXHAUSTED_JOBS");
    expect(codes).toContain("STORAGE_SCHEMA_DRIFT");
    const fixed = await run(["doctor", "--org", "acme", "--fix", "--quick"]);
    expect(fixed.code).toBe(5);
    expect(fixed.stdout).toContain("table notes was added");
    const after = await run(["doctor", "--org", "acme", "--quick"]);
    expect(after.stdout).not.toContain("EXHAUSTED_JOBS");
  });
});
