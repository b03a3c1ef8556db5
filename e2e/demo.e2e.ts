import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { eventually, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { DemoRun, processesAt } from "./demo/demo-run.ts";
import { generatedLock } from "./main-job/generated-lock.ts";

const PACKAGES = 2_000;
/** With the project, and an older version of every tenth. */
const NODES = PACKAGES + 1 + PACKAGES / 10;

function prepared(): { readonly data: string; readonly lock: string } {
  const folder = tempFolder();
  const lock = join(folder, "package-lock.json");
  writeFileSync(lock, generatedLock(PACKAGES));
  return { data: join(folder, "data"), lock };
}

async function call(url: string, key: string, operation: string, input: object = {}) {
  const response = await fetch(`${url}/call/${operation}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(input),
  });
  return { status: response.status, body: await response.json() };
}

const gone = (data: string) =>
  eventually("no process is left", () => processesAt(data).length === 0, 20_000);

describe("npm start", { timeout: 120_000 }, () => {
  it("is killed in the import, finishes it when started again, stays up until Ctrl-C, and verifies it later", async () => {
    const { data, lock } = prepared();
    const args = [lock, "--data", data];
    const first = new DemoRun(args);
    const key = await first.told(/^key +(alk_\S+)$/m);
    await first.told(/needs [1-9]\d*\/\d+$/m);
    first.signal("SIGKILL");
    await first.ended; // its spoke notices, and ends a moment later
    const second = new DemoRun(args);
    const url = await second.told(/^hub +(http:\S+)/m);
    const report = await second.report();
    expect(report).toMatchObject({ nodes: NODES, problems: [], ok: true });
    await second.told(/stays up until Ctrl-C/);
    const listed = await call(url, key, "graphs.list", { filter: { status: { eq: "active" } } });
    expect(listed.status).toBe(200);
    const { items } = listed.body.data as { items: { id: string; name: string }[] };
    expect(items.filter(({ name }) => name.startsWith("generated")).map(({ id }) => id)).toEqual([
      report.graphId,
    ]);
    const spokes = await call(url, key, "spokes.list");
    expect(JSON.stringify(spokes.body)).toContain('"connected":true');
    second.signal("SIGINT");
    const { code } = await second.ended;
    expect([0, 130]).toContain(code);
    await gone(data);

    const third = new DemoRun([...args, "--once"]);
    expect(await third.report()).toMatchObject({ graphId: report.graphId, nodes: NODES, ok: true });
    expect((await third.ended).code).toBe(0);
    expect(third.log).toContain("as printed at the first start");
    await gone(data);
  });
});

describe("npm start says in one line what is wrong, and ends with 1", { timeout: 60_000 }, () => {
  it("where the port is taken", async () => {
    const { data, lock } = prepared();
    const server = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await eventually("it listens", () => server.listening);
    const { port } = server.address() as AddressInfo;
    const run = new DemoRun([lock, "--data", data, "--port", String(port)]);
    expect((await run.ended).code).toBe(1);
    expect(run.log).toMatch(
      new RegExp(`^error: cannot listen on 127.0.0.1:${port}.*another one$`, "m"),
    );
    expect(run.log).not.toMatch(/^\s+at /m);
    await gone(data);
  });

  it("where the lock file is broken, and makes nothing", async () => {
    const folder = tempFolder();
    const data = join(folder, "data");
    const half = join(folder, "half.json");
    writeFileSync(half, '{"lockfileVersion": 3, "packages": {"": {');
    mkdirSync(join(folder, "directory"));
    const cases = [
      [half, /^error: .*half\.json" is not JSON/m],
      [join(folder, "none.json"), /^error: .*none\.json/m],
      [join(folder, "directory"), /^error: .*is a directory/m],
    ] as const;
    const runs = cases.map(([path]) => new DemoRun([path, "--data", data, "--once"]));
    for (const [at, [, message]] of cases.entries()) {
      const run = runs[at] as DemoRun;
      expect((await run.ended).code).toBe(1);
      await eventually("it says why", () => message.test(run.log));
      expect(run.log).not.toMatch(/^\s+at /m);
    }
    expect(existsSync(data)).toBe(false);
  });
});
