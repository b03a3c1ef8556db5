import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fleetStatus, listFleetTenants } from "@alkdev/storage/sqlite";
import { eventually, tempFolder } from "@alkdev/testkit";
import { expect, onTestFinished, test } from "vitest";
import { createTenants, isFailing, openTenants, stateOf, writeFolders } from "./fleet/tenants.ts";
import { report, rounds } from "./reliability/report.ts";

const TENANTS = rounds("ALKDEV_FLEET_TENANTS", 1_000);
const COMPILE_CACHE = join(tmpdir(), "alkdev-compile-cache");
const WORKERS = 2;
/** A worker is killed when about so many tenants more are done. */
const TENANTS_PER_KILL = 40;
/** Every so many kills the coordinator is killed, too. */
const COORDINATOR_EVERY = 4;

test(`${TENANTS} tenants are migrated while workers and coordinator are killed: old or new, never between (M34)`, {
  timeout: 60_000 + TENANTS * 300,
}, async () => {
  const root = tempFolder();
  writeFolders(root);
  const ids = createTenants(root, TENANTS);
  const { system, tenants } = openTenants(root, "after");
  onTestFinished(() => {
    tenants.close();
    system.$client.close();
  });
  const running = new Set<ChildProcess>();
  const start = async (name: "worker" | "coordinator"): Promise<ChildProcess> => {
    const url = new URL(`./fleet/children/${name}.ts`, import.meta.url);
    const child = fork(url, [root], {
      execArgv: ["--conditions=@alkdev/source"],
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    });
    running.add(child);
    await Promise.race([once(child, "message"), once(child, "exit")]);
    return child;
  };
  const kill = async (child: ChildProcess): Promise<void> => {
    running.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  onTestFinished(async () => {
    await Promise.all([...running].map(kill));
  });

  const started = performance.now();
  let coordinator = await start("coordinator");
  const workers = await Promise.all(Array.from({ length: WORKERS }, () => start("worker")));
  const status = () => fleetStatus(system);
  const isDone = () => status()?.run.state === "done";
  const ended = () => TENANTS - (status()?.counts.pending ?? TENANTS);
  let kills = 0;
  const seen = { old: 0, new: 0 };
  while (!isDone()) {
    // counted in tenants, so that a busy machine tests as much; and then in the middle of anything
    const until = ended() + Math.random() * 2 * TENANTS_PER_KILL;
    await eventually("tenants were migrated", () => ended() >= until || isDone(), 60_000);
    await sleep(Math.random() * 20);
    workers.push(await start("worker"));
    await kill(workers.shift() as ChildProcess);
    kills += 1;
    if (kills % COORDINATOR_EVERY === 0) {
      await kill(coordinator);
      if (!isDone()) coordinator = await start("coordinator");
    }
    for (let i = 0; i < 5; i++) {
      const state = stateOf(tenants, ids[Math.floor(Math.random() * ids.length)] as string);
      expect(["old", "new"]).toContain(state);
      seen[state as keyof typeof seen] += 1;
    }
  }
  const seconds = (performance.now() - started) / 1_000;

  const failing = ids.filter((_, n) => isFailing(n));
  const expected = ids.map((_, n) => (isFailing(n) ? "old" : "new"));
  expect(ids.map((id) => stateOf(tenants, id))).toEqual(expected);
  const failed = listFleetTenants(system, { status: "failed" });
  expect(failed.map(({ orgId }) => orgId)).toEqual(failing);
  expect(new Set(failed.map(({ error }) => /UNIQUE/.test(error ?? "")))).toEqual(
    new Set(failing.length > 0 ? [true] : []),
  );
  expect(fleetStatus(system)?.counts).toMatchObject({
    total: TENANTS,
    done: TENANTS - failing.length,
    failed: failing.length,
  });
  // one copy for each that failed, none of the others, and nothing that a killed worker left
  const copies = readdirSync(join(root, "before"));
  expect(copies.sort()).toEqual(failed.map(({ backup }) => backup?.split("/").at(-1)).sort());
  expect(kills).toBeGreaterThan(1);
  report("fleet", {
    tenants: TENANTS,
    kills,
    seconds: Math.round(seconds),
    failed: failing.length,
    seen,
  });
});
