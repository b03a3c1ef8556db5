import { fork } from "node:child_process";
import { once } from "node:events";
import { type Database, open } from "@alkdev/honker";
import { eventually, tempDatabase, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

function call(db: Database, sql: string, params: readonly (string | number)[]): unknown {
  return db.rows(`SELECT ${sql}`, params)[0]?.[0];
}

describe("M12: Honker's own lock functions on the same rows", () => {
  it("respect a lock taken here, also in its last fraction of a second", () => {
    const db = tempDatabase({ extension: "require" });
    const lock = db.tryLock("job", "a", 5);
    expect(call(db, "honker_lock_acquire('job', 'b', 5)", [])).toBe(0);
    expect(call(db, "honker_lock_release('job', 'b')", [])).toBe(0);
    const row = db.rows("SELECT expires_at FROM _honker_locks")[0]?.[0] as number;
    expect(row * 1_000).toBeGreaterThanOrEqual(lock?.expiresAt.getTime() ?? 0);
    expect(row * 1_000 - (lock?.expiresAt.getTime() ?? 0)).toBeLessThan(1_000);
  });

  it("take a lock that is respected here and has a token of its own", () => {
    const db = tempDatabase({ extension: "require" });
    const before = db.tryLock("job", "a", 5);
    before?.release();
    expect(call(db, "honker_lock_acquire('job', 'b', 5)", [])).toBe(1);
    expect(db.tryLock("job", "a", 5)).toBeNull();
    expect(db.lock("job")).toMatchObject({ owner: "b" });
    expect(db.lock("job")?.token).toBeGreaterThan(before?.token ?? 0);
    expect(call(db, "honker_lock_release('job', 'b')", [])).toBe(1);
    const after = db.tryLock("job", "a", 5);
    expect(after?.token).toBeGreaterThan((before?.token ?? 0) + 1);
  });

  it("renew and release a lock taken here, which its holder sees", () => {
    const db = tempDatabase({ extension: "require" });
    const lock = db.tryLock("job", "a", 2);
    expect(call(db, "honker_lock_renew('job', 'a', 100)", [])).toBe(1);
    expect(lock?.held).toBe(true);
    expect(db.lock("job")?.expiresAt.getTime()).toBeGreaterThan(Date.now() + 90_000);
    expect(db.lock("job")?.token).toBe(lock?.token);
    expect(call(db, "honker_lock_release('job', 'a')", [])).toBe(1);
    expect(lock?.held).toBe(false);
    // the same owner again, but another acquisition: the old one stays lost
    expect(call(db, "honker_lock_acquire('job', 'a', 100)", [])).toBe(1);
    expect(lock?.held).toBe(false);
  });

  it("agree with tryLock about the same owner: the lock is its", () => {
    const db = tempDatabase({ extension: "require" });
    expect(call(db, "honker_lock_acquire('one', 'a', 5)", [])).toBe(1);
    expect(call(db, "honker_lock_acquire('one', 'a', 5)", [])).toBe(1);
    expect(db.tryLock("one", "a", 5)).not.toBeNull();
    db.tryLock("two", "a", 5);
    expect(call(db, "honker_lock_acquire('two', 'a', 5)", [])).toBe(1);
  });

  it("give the locks of a file made before this library a token too", () => {
    const db = tempDatabase({ extension: "require" });
    db.execute("INSERT INTO _honker_locks VALUES ('raw', 'sql', unixepoch() + 60)");
    db.execute("UPDATE _honker_locks SET owner = 'thief'");
    const first = db.lock("raw");
    expect(first).toMatchObject({ owner: "thief" });
    db.execute("INSERT OR REPLACE INTO _honker_locks VALUES ('raw', 'thief', unixepoch() + 60)");
    expect(db.lock("raw")?.token).toBeGreaterThan(first?.token ?? 0);
  });
});

describe("M8: locks of two processes", () => {
  it("pass on when the holder is killed and its time is over", { timeout: 20_000 }, async () => {
    const path = `${tempFolder()}/locks.db`;
    const db = open(path);
    onTestFinished(() => db.close());
    const child = fork(new URL("./children/lock-holder.ts", import.meta.url), [path, "job", "1"], {
      execArgv: ["--conditions=@alkdev/source"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [token] = (await once(child, "message")) as [number];
    expect(db.tryLock("job", "parent", 1)).toBeNull();
    // longer than its first lease: it is being renewed
    const first = db.lock("job")?.expiresAt.getTime() ?? 0;
    await eventually("the child renewed", () => (db.lock("job")?.expiresAt.getTime() ?? 0) > first);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(db.lock("job")?.owner).toBe("child");
    await db.withLock("job", { waitMs: 10_000 }, (lock) => {
      expect(lock.token).toBeGreaterThan(token);
    });
  });
});
