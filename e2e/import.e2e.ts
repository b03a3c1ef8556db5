import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually, tempFolder } from "@alkdev/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Report } from "../examples/import/report.ts";

const MAIN = fileURLToPath(new URL("../examples/import/main.ts", import.meta.url));

function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { child: ChildProcess; output: () => string; log: () => string } {
  let output = "";
  let log = "";
  const child = spawn(process.execPath, ["--conditions=@alkdev/source", MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env, NODE_COMPILE_CACHE: join(tmpdir(), "alkdev-compile-cache") },
  });
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    log += text;
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, output: () => output, log: () => log };
}

async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string; log: string }> {
  const { child, output, log } = start(args, env);
  const [code] = await once(child, "close");
  return { code: code as number, output: output(), log: log() };
}

/** Arguments of a run over sources of its own, which are dropped when the test ends. */
function sources(rows: number): { args: string[]; data: string } {
  const data = join(tempFolder(), "data");
  const name = `import_${randomBytes(5).toString("hex")}`;
  const args = ["--data", data, "--name", name, "--rows", String(rows), "--port", "0"];
  onTestFinished(async () => void (await run([...args, "--drop"])), 30_000);
  return { args: [...args, "--once", "--json"], data };
}

describe("from PostgreSQL, Redis and BullMQ to a hub (M38)", { timeout: 120_000 }, () => {
  test("everything is there, read back through the hub, and a second run says the same", async () => {
    const { args } = sources(2_000);
    const first = await run(args);
    expect(first.code, first.log).toBe(0);
    const report: Report = JSON.parse(first.output);
    expect(report.postgres.ok).toBe(true);
    expect(report.postgres.rows.read).toBe(report.seeded.rows);
    expect(report.hub).toMatchObject({ entries: 2_000, inOrder: true, jobs: 350 });
    // the call graph of the questions is written meanwhile, so there may be more nodes
    for (const { table, found } of report.postgres.written_tables) {
      expect(report.hub.rows[table] ?? found, table).toBeGreaterThanOrEqual(found);
    }
    const again: Report = JSON.parse((await run(args)).output);
    expect(again.hub).toMatchObject({ entries: 2_000, inOrder: true, jobs: 350 });
    expect(again.postgres).toEqual(report.postgres);
  });

  test("killed in the middle it goes on, and ends with the same numbers", async () => {
    const { args, data } = sources(6_000);
    const killed = start(args);
    await eventually(
      "the import has begun with nodes",
      () => killed.log().includes("read nodes"),
      60_000,
    );
    killed.child.kill("SIGKILL");
    await once(killed.child, "exit");
    expect(existsSync(join(data, "system.db"))).toBe(true);
    const { code, output, log } = await run(args);
    expect(code, log).toBe(0);
    const report: Report = JSON.parse(output);
    expect(report.postgres).toMatchObject({ ok: true, rows: { read: report.seeded.rows } });
    expect(report.hub).toMatchObject({ entries: 2_000, inOrder: true, jobs: 350 });
  });

  test("a server that is not there is named", async () => {
    const nowhere = { POSTGRES_URL: "postgres://postgres@127.0.0.1:1/test" };
    const { code, log } = await run(["--once", "--data", join(tempFolder(), "data")], nowhere);
    expect(code).toBe(1);
    expect(log).toContain("PostgreSQL at 127.0.0.1:1 does not answer");
  });
});
