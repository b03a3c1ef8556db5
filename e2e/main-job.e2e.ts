import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { open } from "@alkdev/honker";
import { eventually, tempFolder } from "@alkdev/testkit";
import { describe, expect, test } from "vitest";
import { generatedLock } from "./main-job/generated-lock.ts";
import { isAlive, Job } from "./main-job/job.ts";

const run = promisify(execFile);
const OWN_LOCK = fileURLToPath(new URL("../package-lock.json", import.meta.url));
const QUERY = fileURLToPath(new URL("../examples/query-graph.ts", import.meta.url));
const fixture = (name: string) =>
  fileURLToPath(new URL(`./fixtures/${name}.json`, import.meta.url));

describe("the main job", { timeout: 120_000 }, () => {
  test("imports this repository's lock file by default, and verifies it when run again", async () => {
    const data = join(tempFolder(), "some", "folder");
    const first = await new Job(["--data", data]).report();
    const { packages } = JSON.parse(readFileSync(OWN_LOCK, "utf8"));
    const links = Object.values<{ link?: boolean }>(packages).filter(({ link }) => link);
    const nodes = Object.keys(packages).length - links.length;
    expect(first).toMatchObject({
      source: OWN_LOCK,
      outcome: "imported",
      nodes,
      links: links.length,
      done: nodes,
      retried: 0,
      dead: 0,
      ok: true,
    });
    expect(first.events).toBe(Math.ceil(nodes / 200));
    expect(first.edges).toBeGreaterThan(nodes);
    expect(first.latency?.samples).toBe(200);
    expect(existsSync(join(data, "system.db")) && existsSync(join(data, "tenant-demo.db"))).toBe(
      true,
    );

    const { stdout } = await run(process.execPath, ["--conditions=@alkdev/source", QUERY, data]);
    expect(stdout).toContain(`: ${nodes} packages, ${first.edges} needs\n`);
    expect(stdout.match(/needs [1-9]\d* others/g)).toHaveLength(3);

    const again = new Job(["--data", data]);
    const { latency: _, elapsedMs: __, ...rest } = first;
    expect(await again.report()).toMatchObject({
      ...rest,
      outcome: "already finished, verified again",
    });
    expect(again.children).toEqual([]);
  });

  test("takes every version; a changed lock file is imported anew, other projects' graphs stay", async () => {
    const folder = tempFolder();
    const data = join(folder, "data");
    const path = join(folder, "package-lock.json");
    const v2 = await new Job([fixture("v2-both-forms"), "--data", data]).report();
    expect(v2).toMatchObject({ nodes: 3, edges: 3, done: 3, notInstalled: {}, ok: true });
    writeFileSync(path, readFileSync(fixture("v1-nested")));
    const v1 = await new Job([path, "--data", data]).report();
    expect(v1).toMatchObject({
      outcome: "imported",
      nodes: 10,
      edges: 6,
      notInstalled: { prod: 1 },
      ok: true,
    });
    writeFileSync(path, readFileSync(fixture("v3-hard")));
    const v3 = await new Job([path, "--data", data]).report();
    expect(v3).toMatchObject({
      outcome: "imported anew",
      nodes: 25,
      edges: 32,
      links: 5,
      notInstalled: { prod: 3, peer: 2, optional: 1, "optional peer": 1 },
      done: 25,
      events: 1,
      ok: true,
    });

    using db = open(join(data, "tenant-demo.db"));
    expect(db.query("SELECT name, status FROM graphs ORDER BY id")).toEqual([
      { name: "both-forms", status: "active" },
      { name: "old-project", status: "archived" },
      { name: "hard-cases", status: "active" },
    ]);
  });

  test("two runs at once share the work and both find it right", async () => {
    const folder = tempFolder();
    const path = join(folder, "package-lock.json");
    writeFileSync(path, generatedLock(1_000));
    const jobs = [1, 2].map(() => new Job([path, "--data", join(folder, "data")]));
    for (const job of jobs)
      expect(await job.report()).toMatchObject({ nodes: 1_101, done: 1_101, ok: true });
  });

  test("the quickstart runs, and runs again", async () => {
    const script = fileURLToPath(new URL("../examples/quickstart.ts", import.meta.url));
    const cwd = tempFolder();
    const quickstart = () =>
      run(process.execPath, ["--conditions=@alkdev/source", script], { cwd });
    await quickstart();
    const { stdout } = await quickstart();
    expect(stdout.split("\n")).toEqual(["2 task.done notes", "waited for it: publish", ""]);
  });
});

/** Every kind of file that is no lock file is in examples/test/lock-file.test.ts. */
describe("the main job refuses, says why, and leaves nothing behind", { timeout: 60_000 }, () => {
  const folder = (): string => {
    const made = tempFolder();
    mkdirSync(join(made, "a-folder"));
    for (const [name, content] of [
      ["half.json", '{"lockfileVersion": 3, "packages": {"": {'],
      ["package.json", '{"name": "x", "version": "1.0.0"}'],
    ] as const) {
      writeFileSync(join(made, name), content);
    }
    return made;
  };

  test.each([
    ["a missing file", "none.json", 1, /there is no file .*none\.json/],
    ["a folder", "a-folder", 1, /is a directory/],
    ["half a file", "half.json", 1, /is not JSON/],
    ["a package.json", "package.json", 1, /has no "lockfileVersion"/],
  ])("%s", async (_what, name, code, message) => {
    const made = folder();
    const job = new Job([join(made, name), "--data", join(made, "data")]);
    expect(await job.ended).toEqual({ code, signal: null });
    await job.told("error: ");
    expect(job.log).toMatch(message);
    expect(job.log).not.toMatch(/\n\s+at /);
    expect(existsSync(join(made, "data"))).toBe(false);
  });

  test.each([
    ["two lock files", ["a.json", "b.json"]],
    ["an unknown option", ["--fast"]],
  ])("%s, with the usage and exit code 2", async (_what, args) => {
    const job = new Job(args);
    expect(await job.ended).toEqual({ code: 2, signal: null });
    await job.told("Usage: ");
    expect(job.log).toMatch(/^error: .*\n\nUsage: /);
  });

  test("a data folder that is a file", async () => {
    const made = folder();
    const job = new Job([fixture("v2-both-forms"), "--data", join(made, "half.json")]);
    expect(await job.ended).toEqual({ code: 1, signal: null });
    await job.told("error: ");
    expect(job.log).toMatch(/EEXIST|not a directory/i);
  });

  test("a data folder with another database in it, which stays as it was", async () => {
    const made = folder();
    const file = join(made, "tenant-demo.db");
    using other = open(file);
    other.execute("CREATE TABLE nodes (mine TEXT)");
    other.close();
    const job = new Job([fixture("v2-both-forms"), "--data", made]);
    expect(await job.ended).toEqual({ code: 1, signal: null });
    await job.told("error: ");
    expect(job.log).toMatch(/migration 1 .* failed: .*nodes/);
    using same = open(file);
    expect(same.rows("SELECT count(*) FROM nodes")).toEqual([[0]]);
  });
});

describe("the main job is interrupted", { timeout: 120_000 }, () => {
  const prepared = () => {
    const folder = tempFolder();
    const path = join(folder, "package-lock.json");
    writeFileSync(path, generatedLock(1_000));
    return [path, "--data", join(folder, "data")];
  };
  const noneAlive = (pids: readonly number[]) =>
    eventually("the other processes have ended", () => !pids.some(isAlive), 20_000);

  test("SIGINT or SIGTERM: all processes stop, and the same command goes on", async () => {
    const args = prepared();
    const job = new Job(args);
    await job.told("packages counted");
    const { children } = job;
    job.signal("SIGINT");
    expect(await job.ended).toEqual({ code: 130, signal: null });
    await job.told("the same command goes on where it stopped");
    expect(children).toHaveLength(2);
    expect(children.filter(isAlive)).toEqual([]);

    const next = new Job(args);
    await next.told("worker started");
    next.signal("SIGTERM");
    expect(await next.ended).toEqual({ code: 143, signal: null });
    expect(next.children.filter(isAlive)).toEqual([]);
    expect(await new Job(args).report()).toMatchObject({ outcome: "resumed", ok: true });
  });

  test("the lock file is changed and imported by another run: the first one gives up and says so", async () => {
    const args = prepared();
    const job = new Job(args);
    await job.told("worker started");
    using db = open(join(args[2] as string, "tenant-demo.db"));
    db.execute("UPDATE graphs SET status = 'archived'");
    expect(await job.ended).toEqual({ code: 1, signal: null });
    await job.told("error: ");
    expect(job.log).toMatch(/error: the lock file has changed/);
    expect(job.children.filter(isAlive)).toEqual([]);
  });

  test("the parent is killed: the others notice and end", async () => {
    const job = new Job(prepared());
    await job.told("packages counted");
    const { children } = job;
    job.signal("SIGKILL");
    expect(children).toHaveLength(2);
    await noneAlive(children);
  });

  test("a worker that dies again and again ends the run with a message; the next run finishes it", async () => {
    const args = prepared();
    const job = new Job(args);
    const killed = new Set<number>();
    while (job.running) {
      const worker = job.children[0];
      if (worker !== undefined && !killed.has(worker)) {
        killed.add(worker);
        process.kill(worker, "SIGKILL");
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(await job.ended).toEqual({ code: 1, signal: null });
    await job.told("error: ");
    expect(job.log).toMatch(/error: the worker died \d+ times in a row \(SIGKILL\)/);
    await noneAlive(job.children);
    expect(await new Job(args).report()).toMatchObject({ outcome: "resumed", ok: true });
  });
});
