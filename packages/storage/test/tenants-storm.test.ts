import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { open } from "@alkdev/honker";
import { createSystemDatabase, createTenantManager } from "@alkdev/storage/sqlite";
import { tempFolder } from "@alkdev/testkit";
import { expect, onTestFinished, test } from "vitest";
import { checkTenantFiles } from "./tenants-check.ts";
import { insertOrganizations } from "./tenants-setup.ts";

function storm(root: string, seed: number, count: number): ChildProcess {
  const child = fork(
    new URL("./children/tenant-storm.ts", import.meta.url),
    [root, String(seed), String(count)],
    { execArgv: ["--conditions=@alkdev/source"] },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

test("two processes do everything at once, and one is killed again and again: nothing is half (M33)", async () => {
  const root = tempFolder();
  const prepared = createSystemDatabase(open(join(root, "system.db")));
  insertOrganizations(prepared, ["a", "b", "c", "d"]);
  prepared.$client.close();
  const steady = storm(root, 1, 400);
  const ended = once(steady, "exit");
  for (let round = 0; round < 6; round++) {
    const killed = storm(root, 10 + round, 1_000_000);
    await Promise.race([once(killed, "message"), once(killed, "exit")]);
    // not a wait for something: the moment of the kill is the input of this test
    await sleep(20 + 60 * round);
    killed.kill("SIGKILL");
    expect((await once(killed, "exit"))[1]).toBe("SIGKILL");
  }
  expect((await ended)[0]).toBe(0);
  const system = createSystemDatabase(open(join(root, "system.db")));
  onTestFinished(() => system.$client.close());
  using tenants = createTenantManager({ folder: join(root, "tenants"), system });
  expect(tenants.recover()).toEqual([]);
  await checkTenantFiles(tenants, join(root, "tenants"));
}, 120_000);
