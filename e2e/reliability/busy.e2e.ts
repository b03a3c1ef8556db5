import { join } from "node:path";
import { type Database, HonkerError, open } from "@alkdev/honker";
import { engineModes, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { Child } from "./child.ts";
import { committedEntries, LEDGER, writeEntry } from "./entries.ts";

const BUSY_TIMEOUT_MS = 150;

describe.each(engineModes)("M3: another process holds the write lock $mode", ({ extension }) => {
  const opened = async (): Promise<{ db: Database; other: Child }> => {
    const path = join(tempFolder(), "test.db");
    const db = open(path, { extension, busyTimeoutMs: BUSY_TIMEOUT_MS });
    onTestFinished(() => db.close());
    db.execute(LEDGER);
    writeEntry(db, 1);
    const other = new Child("lock-keeper.ts", [path, extension]);
    await other.line("ready");
    return { db, other };
  };

  it("gives BUSY to every kind of write after the timeout, with nothing half written, and reads go on", async () => {
    const { db, other } = await opened();
    other.tell("hold");
    await other.line("did hold");
    const writes: Record<string, () => unknown> = {
      transaction: () => writeEntry(db, 2),
      execute: () => db.execute("INSERT INTO ledger VALUES (2, 'x')"),
      notify: () => db.notify("entries", 2),
      publish: () => db.stream("entries").publish(2),
      enqueue: () => db.queue("entries").enqueue(2),
      claim: () => db.queue("entries").claimOne("w"),
      lock: () => db.tryLock("leader", "me", 10),
      begin: () => db.transaction(),
    };
    for (const [name, write] of Object.entries(writes)) {
      const started = performance.now();
      let code = "nothing was thrown";
      try {
        write();
      } catch (error) {
        if (!(error instanceof HonkerError)) throw error;
        code = error.code;
      }
      const waitedMs = performance.now() - started;
      expect({ name, code }).toEqual({ name, code: "BUSY" });
      expect(waitedMs).toBeGreaterThan(BUSY_TIMEOUT_MS * 0.6);
      expect(waitedMs).toBeLessThan(BUSY_TIMEOUT_MS * 20);
      expect(db.inTransaction).toBe(false);
      expect(db.rows("SELECT count(*) FROM ledger")).toEqual([[1]]);
    }
    other.tell("let go");
    await other.line("did let go");
    writeEntry(db, 2);
    expect(await committedEntries(db)).toBe(2);
    expect(db.tryLock("leader", "me", 10)).not.toBeNull();
  });

  it("frees the lock when its holder is killed", async () => {
    const { db, other } = await opened();
    other.tell("hold");
    await other.line("did hold");
    await other.kill();
    writeEntry(db, 2);
    expect(await committedEntries(db)).toBe(2);
  });

  it("refuses a write that follows a read another process has overtaken, and undoes it all", async () => {
    const { db, other } = await opened();
    const tx = db.transaction({ behavior: "deferred" });
    expect(tx.rows("SELECT count(*) FROM ledger")).toEqual([[1]]);
    other.tell("commit something");
    await other.line("did commit something");
    expect(() => tx.execute("INSERT INTO ledger VALUES (2, 'x')")).toThrow(
      expect.objectContaining({ code: "BUSY" }),
    );
    tx.rollback();
    writeEntry(db, 2);
    expect(db.rows("SELECT count(*) FROM ledger")).toEqual([[2]]);
  });
});
