import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Database } from "@alkdev/honker";
import { engineModes, eventually, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

/** Starting a process takes most of the time. */
const TIMEOUT_MS = 30_000;

describe.each(engineModes)(
  "M6: queues of several processes $mode",
  { timeout: TIMEOUT_MS },
  ({ extension }) => {
    function worker(db: Database, mode: string, dieAt = 0): ChildProcess {
      const child = fork(
        new URL("./children/queue-worker.ts", import.meta.url),
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
      db.rows("SELECT payload FROM effects ORDER BY payload").map(([n]) => n as number);

    it("a job of a killed worker is done by another, and effects that share the commit happen once", async () => {
      const db = database();
      const queue = db.queue<number>("work");
      queue.enqueueMany(numbers(60));
      for (const dieAt of [9, 41]) await once(worker(db, "effect", dieAt), "exit");
      expect(effects(db).length).toBeLessThan(60);
      worker(db, "effect");
      await eventually(
        "all are done",
        () => queue.stats().pending + queue.stats().running === 0,
        TIMEOUT_MS,
      );
      expect(effects(db)).toEqual(numbers(60));
      expect(queue.dead.count()).toBe(0);
      expect(db.rows("PRAGMA integrity_check")).toEqual([["ok"]]);
    });

    it("workers killed and started while jobs keep coming lose none and double none", async () => {
      const db = database();
      const queue = db.queue<number>("work");
      const workers = [worker(db, "effect"), worker(db, "effect")];
      await Promise.all(workers.map((child) => once(child, "message")));
      for (let round = 0; round < 4; round++) {
        queue.enqueueMany(
          numbers(100).map((n) => round * 100 + n),
          { maxAttempts: 20 },
        );
        await eventually("some are done", () => effects(db).length > round * 100 + 10, TIMEOUT_MS);
        workers[round % 2]?.kill("SIGKILL");
        workers[round % 2] = worker(db, "effect");
      }
      await eventually(
        "all are done",
        () => queue.stats().pending + queue.stats().running === 0,
        TIMEOUT_MS,
      );
      expect(effects(db)).toEqual(numbers(400));
      expect(queue.dead.count()).toBe(0);
    });

    it("cancel here aborts the handler there", async () => {
      const db = database();
      const queue = db.queue<number>("work");
      const child = worker(db, "hold");
      await once(child, "message");
      const holding = once(child, "message");
      const id = queue.enqueue(1);
      expect((await holding)[0]).toBe("holding");
      const aborted = once(child, "message");
      expect(queue.cancel(id)).toBe(true);
      expect((await aborted)[0]).toBe("LEASE_LOST");
    });

    it("a commit here wakes the worker there, and its result wakes the one who waits here", async () => {
      const db = database();
      const queue = db.queue<number>("work");
      await once(worker(db, "double"), "message");
      for (const n of numbers(10)) {
        expect(await db.waitResult(queue.enqueue(n), { timeoutMs: 5_000 })).toBe(n * 2);
      }
    });

    it("pause and resume here hold for the worker there", async () => {
      const db = database();
      const queue = db.queue<number>("work");
      await once(worker(db, "double"), "message");
      expect(await db.waitResult(queue.enqueue(1), { timeoutMs: 5_000 })).toBe(2);
      queue.pause();
      const id = queue.enqueue(21);
      await expect(db.waitResult(id, { timeoutMs: 50 })).rejects.toThrow(/no result after 50 ms/);
      expect(queue.get(id)?.state).toBe("pending");
      queue.resume();
      expect(await db.waitResult(id, { timeoutMs: 5_000 })).toBe(42);
    });
  },
);
