import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Database } from "@alkdev/honker";
import { engineModes, eventually, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

/** Starting a process takes most of the time. */
const TIMEOUT_MS = 30_000;

describe.each(engineModes)(
  "M5: streams of several processes $mode",
  { timeout: TIMEOUT_MS },
  ({ extension }) => {
    function worker(db: Database, mode: string, dieAt = 0): ChildProcess {
      const child = fork(
        new URL("./children/stream-worker.ts", import.meta.url),
        [db.path, extension, mode, String(dieAt)],
        { execArgv: ["--conditions=@alkdev/source"] },
      );
      onTestFinished(() => void child.kill("SIGKILL"));
      return child;
    }
    function database(): Database {
      const db = tempDatabase({ extension });
      db.execute("CREATE TABLE effects (payload INTEGER)");
      return db;
    }
    const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
    const effects = (db: Database): number[] =>
      db.rows("SELECT payload FROM effects ORDER BY rowid").map(([payload]) => payload as number);

    it("effects happen exactly once when they commit with the offset, whatever is killed", async () => {
      const db = database();
      db.stream("work").publishMany(numbers(40));
      await once(worker(db, "exactly-once", 17), "exit");
      expect(effects(db)).toEqual(numbers(16));
      worker(db, "exactly-once");
      await eventually("all are done", () => effects(db).length >= 40, TIMEOUT_MS);
      expect(effects(db)).toEqual(numbers(40));
      expect(db.stream("work").getOffset("worker")).toBe(40);
    });

    it("effects happen at least once, and without a gap, when the offset is saved now and then", async () => {
      const db = database();
      db.stream("work").publishMany(numbers(40));
      await once(worker(db, "at-least-once", 26), "exit");
      expect(db.stream("work").getOffset("worker")).toBe(20);
      worker(db, "at-least-once");
      await eventually("the last is done", () => effects(db).at(-1) === 40, TIMEOUT_MS);
      expect(effects(db)).toEqual([...numbers(26), ...numbers(40).slice(20)]);
    });

    it("a commit here wakes a subscription there", async () => {
      const db = database();
      await once(worker(db, "exactly-once"), "message");
      for (const payload of numbers(10)) {
        db.stream("work").publish(payload);
        await eventually("it arrived", () => effects(db).length === payload);
      }
      expect(effects(db)).toEqual(numbers(10));
    });

    it("members in several processes share a group, and the work of a killed one is done by the others", async () => {
      const db = database();
      const stream = db.stream("work");
      // whoever gets event 60 dies of it; a third member is of better health
      const crashes = [worker(db, "group", 60), worker(db, "group", 60)];
      const exits = crashes.map((child) => once(child, "exit"));
      stream.publishMany(numbers(120));
      await Promise.all(exits);
      worker(db, "group");
      const group = stream.group("workers");
      await eventually("all are acknowledged", () => group.info().floor === 120, TIMEOUT_MS);
      expect(effects(db).sort((a, b) => a - b)).toEqual(numbers(120));
      expect(group.dead.count()).toBe(0);
    });
  },
);
