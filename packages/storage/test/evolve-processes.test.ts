import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type Database, open } from "@alkdev/honker";
import { createTenantDatabase, evolveGraphType } from "@alkdev/storage/sqlite";
import { tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { countUp, fillTasks, guardsOf, TasksV4, versionOf, wrongRows } from "./evolve-tasks.ts";

const CHILD = new URL("./children/evolve-tasks.ts", import.meta.url);

function start(path: string, dieAt = 0): ChildProcess {
  const child = fork(CHILD, [path, String(dieAt)], { execArgv: ["--conditions=@alkdev/source"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

function tasksFile(nodes: number): string {
  const path = `${tempFolder()}/t.db`;
  using client = open(path);
  fillTasks(createTenantDatabase(client), nodes);
  return path;
}

/** Rows that are neither as before nor as after: half migrated, or migrated twice. */
function halfRows(client: Database): unknown[][] {
  return client.rows(`SELECT key, attributes, metadata FROM nodes
    WHERE CASE json_extract(metadata, '$._metagraph.version')
      WHEN 4 THEN attributes <> json_object('count', substr(key, 3) + 1, 'done', json('false'))
      ELSE attributes <> json_object('count', CAST(substr(key, 3) AS INTEGER)) END`);
}

/** A killed process keeps its lock for half a minute. */
function freeLocks(client: Database): void {
  client.execute("DELETE FROM _honker_locks");
}

describe("a migration that is killed (M30)", () => {
  it("right after each of its commits: the next one ends it, every row migrated once", async () => {
    const seen = new Set<number>();
    for (let dieAt = 1; ; dieAt += 1) {
      const path = tasksFile(50);
      const [code, signal] = await once(start(path, dieAt), "exit");
      using client = open(path);
      const tenant = createTenantDatabase(client);
      const version = versionOf(client);
      seen.add(version);
      expect(halfRows(client)).toEqual([]);
      expect(guardsOf(client)).toBe(version === 3 ? 5 : 0);
      freeLocks(client);
      await evolveGraphType(tenant, TasksV4, { migrations: countUp });
      expect(wrongRows(client)).toEqual([]);
      expect([versionOf(client), guardsOf(client)]).toEqual([4, 0]);
      if (signal === null) {
        expect(code).toBe(0);
        // the lock, the odd version, three batches of nodes and of edges, the end, the lock
        expect(dieAt).toBe(11);
        break;
      }
    }
    expect([...seen].sort()).toEqual([2, 3, 4]);
  }, 120_000);

  it("at any moment, again and again", async () => {
    const path = tasksFile(3_000);
    using client = open(path);
    let kills = 0;
    for (let attempt = 0; versionOf(client) !== 4; attempt += 1) {
      freeLocks(client);
      const child = start(path);
      await once(child, "message");
      const exited = once(child, "exit");
      // later each time, so that it ends at last
      const timer = setTimeout(() => child.kill("SIGKILL"), attempt * 25 + Math.random() * 50);
      const [, signal] = await exited;
      clearTimeout(timer);
      if (signal === "SIGKILL") kills += 1;
      expect(halfRows(client)).toEqual([]);
    }
    expect(kills).toBeGreaterThan(0);
    expect(wrongRows(client)).toEqual([]);
    expect(guardsOf(client)).toBe(0);
  }, 120_000);

  it("two processes at once: one migrates everything, the other waits and has nothing to do", async () => {
    const path = tasksFile(500);
    const children = [start(path), start(path)];
    const results = await Promise.all(
      children.map(async (child) => {
        const messages: unknown[] = [];
        child.on("message", (message) => messages.push(message));
        const [code] = await once(child, "exit");
        expect(code).toBe(0);
        return messages.at(-1);
      }),
    );
    expect(results.sort()).toEqual([0, 998]);
    using client = open(path);
    expect(wrongRows(client)).toEqual([]);
  }, 60_000);
});
