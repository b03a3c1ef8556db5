import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "@alkdev/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import { cli, sharedFolder } from "./cli-fixture.ts";

const MODULE = fileURLToPath(new URL("./children/greeting-spoke.ts", import.meta.url));
const folder = sharedFolder();
const { run, json, background } = cli(folder);
const keyFile = join(folder, "key");

beforeAll(async () => {
  const { key } = await json<{ key: { key: string } }>(["init", "--org", "acme"]);
  writeFileSync(keyFile, key.key);
}, 30_000);

describe("alkdev spoke (M44, M43)", () => {
  it("serves the operations of a module through a hub, until SIGTERM", async () => {
    const hub = await background(["hub", "--port", "0", "--no-workers", "--json"], '"url"');
    const { url } = JSON.parse(hub.stdout()) as { url: string };
    const to = ["--hub", url, "--key", `@${keyFile}`, "--org", "acme"];
    const file = join(folder, "north.db");
    const spoke = await background(
      ["spoke", MODULE, "--name", "north", "--file", file, ...to],
      "Spoke north: ready",
    );
    const { stdout } = await run(["call", "demo.greet", '{"name":"Ada"}', ...to]);
    expect(JSON.parse(stdout)).toEqual({ text: "Hello, Ada", pid: spoke.child.pid });
    const { operations } = await json<{ operations: { id: string }[] }>([
      ...["operations", "--search", "greets"],
      ...to,
    ]);
    expect(operations.map(({ id }) => id)).toEqual(["demo.greet"]);
    expect((await spoke.stop()).code).toBe(0);
    expect((await hub.stop()).code).toBe(0);
  }, 120_000);

  it("says what is wrong with a module or a key before it goes anywhere", async () => {
    const none = await run(["spoke", join(folder, "none.ts"), "--name", "x", "--key", "k"]);
    expect(none).toMatchObject({ code: 2, stdout: "" });
    const empty = join(folder, "empty.mjs");
    writeFileSync(empty, "export const other = 1;");
    const without = await run(["spoke", empty, "--name", "x", "--key", "k"]);
    expect(without.stderr).toContain("does not export operations");
    const args = ["spoke", MODULE, "--name", "north", "--hub", "http://127.0.0.1:1"];
    const { ALKDEV_KEY: key } = process.env;
    delete process.env["ALKDEV_KEY"];
    const noKey = await run(args);
    if (key !== undefined) process.env["ALKDEV_KEY"] = key;
    expect(noKey.code).toBe(4);
    expect(noKey.stderr).toContain("Set ALKDEV_KEY");
  });

  it("ends when its key is revoked, with 4", async () => {
    const config = join(folder, "hub.json");
    writeFileSync(config, JSON.stringify({ port: 0, limits: { heartbeatMs: 500 } }));
    const serve = ["hub", "--no-workers", "--json", "--config", config];
    const hub = await background(serve, '"url"');
    const { url } = JSON.parse(hub.stdout()) as { url: string };
    const { id, key } = await json<{ id: string; key: string }>([
      ...["key", "create", "admin@localhost"],
    ]);
    const file = join(folder, "north.db");
    const spoke = await background(
      ["spoke", MODULE, "--name", "north", "--file", file, "--hub", url, "--org", "acme"],
      "Spoke north: ready",
      { ALKDEV_KEY: key },
    );
    await json(["key", "revoke", id]);
    await eventually("the spoke has ended", () => spoke.child.exitCode !== null, 45_000);
    const { code, stderr } = await spoke.stop();
    expect(code).toBe(4);
    expect(stderr).toMatch(/^alkdev: /m);
    await hub.stop();
  }, 120_000);
});
