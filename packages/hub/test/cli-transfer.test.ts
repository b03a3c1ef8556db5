import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { cli, sharedFolder } from "./cli-fixture.ts";

const { REDIS_URL = "redis://127.0.0.1:6379" } = process.env;
const folder = sharedFolder();
const { run, json } = cli(folder);

beforeAll(async () => {
  await json(["init", "--org", "acme"]);
}, 30_000);

describe("alkdev import and export (M44, M38)", () => {
  it("brings a Redis Stream into a stream of a tenant, and what is new when it runs again", async () => {
    const redis = new Redis(REDIS_URL);
    const key = `alkdev-cli-${randomUUID()}`;
    onTestFinished(async () => {
      await redis.del(key);
      redis.disconnect();
    });
    await redis.xadd(key, "*", "n", "1");
    await redis.xadd(key, "*", "n", "2");
    // an address can hold a password, so it need not be an argument
    const address = join(folder, "redis");
    writeFileSync(address, `${REDIS_URL}\n`);
    const command = ["import", "redis", `@${address}`, key, "--stream", "old", "--org", "acme"];
    expect(await json(command)).toMatchObject({ stream: "old", imported: 2, total: 2 });
    await redis.xadd(key, "*", "n", "3");
    expect(await json(command)).toMatchObject({ imported: 1, total: 3 });
    const { stdout } = await run(["stream", "read", "old", "--org", "acme"]);
    expect(stdout.match(/"n":"\d"/g)).toEqual(['"n":"1"', '"n":"2"', '"n":"3"']);
  });

  it("says which source it cannot reach, and that it may be there later", async () => {
    const away = await run(["import", "redis", "redis://127.0.0.1:1", "orders"]);
    expect(away.code).toBe(6);
    const args = ["import", "postgres", "postgres://u:secret@127.0.0.1:1/hub", "--json"];
    const { code, stderr } = await cli(join(folder, "pg")).run(args);
    expect(code).toBe(6);
    expect(JSON.parse(stderr).error.code).toBe("SOURCE_UNAVAILABLE");
    expect(stderr).not.toContain("secret");
  });

  it("writes what a file holds as NDJSON, once", async () => {
    const out = join(folder, "export");
    const { tables } = await json<{ tables: { table: string; file: string; rows: number }[] }>([
      ...["export", out],
    ]);
    const accounts = tables.find(({ table }) => table === "accounts");
    expect(accounts?.rows).toBe(1);
    const lines = readFileSync(join(out, accounts?.file as string), "utf8");
    expect(JSON.parse(lines)).toMatchObject({ email: "admin@localhost" });
    expect(existsSync(join(out, "manifest.json"))).toBe(true);
    expect((await run(["export", out])).code).toBe(1);
  });
});
