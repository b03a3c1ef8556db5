import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { open, restoreBackup } from "@alkdev/honker";
import { engineModes, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { Child } from "./child.ts";
import { committedEntries, LEDGER, writeEntry } from "./entries.ts";
import { OPTIONS } from "./parts.ts";
import { report, rounds } from "./report.ts";

const BACKUPS = rounds("ALKDEV_BACKUPS", 2);

describe.each(engineModes)("M13: backup $mode", ({ extension }) => {
  it("under load of another process: each one, restored, is a committed prefix", async () => {
    const folder = tempFolder();
    const path = join(folder, "test.db");
    const writer = new Child("busy-writer.ts", [path, extension]);
    await writer.line("200 entries");
    const db = open(path, { ...OPTIONS, extension });
    onTestFinished(() => db.close());
    let last = 0;
    let bytes = 0;
    for (let i = 1; i <= BACKUPS; i++) {
      const atLeast = Number(db.rows("SELECT count(*) FROM ledger")[0]?.[0]);
      const backup = join(folder, `backup-${i}.db`);
      const result = await db.backup(backup, { verify: "contents", pagesPerStep: 100 });
      const restored = join(folder, `restored-${i}.db`);
      await restoreBackup(backup, restored);
      const copy = open(restored, { ...OPTIONS, extension });
      last = await committedEntries(copy);
      copy.close();
      bytes = result.bytes;
      expect(result.verified).toBe(true);
      expect(last).toBeGreaterThanOrEqual(atLeast);
    }
    expect(writer.running).toBe(true);
    await writer.kill();
    const entries = Number(db.rows("SELECT count(*) FROM ledger")[0]?.[0]);
    expect(entries).toBeGreaterThan(last);
    report("backup under load", {
      mode: extension,
      backups: BACKUPS,
      lastBytes: bytes,
      entriesInLast: last,
      entriesWritten: entries,
    });
  }, 600_000);

  it("that is killed half-way leaves no file of its name, and nothing in the way of the next", async () => {
    const folder = tempFolder();
    const path = join(folder, "test.db");
    const db = open(path, { ...OPTIONS, extension });
    onTestFinished(() => db.close());
    db.execute(LEDGER);
    db.transaction(() => {
      for (let seq = 1; seq <= 500; seq++) writeEntry(db, seq, 9_000);
    });
    const target = join(folder, "copies.db");
    let killed = 0;
    for (let i = 0; i < BACKUPS; i++) {
      const child = new Child("backup-maker.ts", [path, extension, target]);
      await child.line(i % 2 === 0 ? "ready" : "remaining 1");
      await child.kill();
      if (child.lines.includes("finished")) continue;
      killed += 1;
      expect(existsSync(target)).toBe(false);
    }
    expect(killed).toBeGreaterThan(0);
    await db.backup(target);
    const left = readdirSync(folder).filter(
      (name) => !name.startsWith("test.db") && name !== "copies.db",
    );
    expect(left.every((name) => name.startsWith(".copies.db.") && name.includes(".partial"))).toBe(
      true,
    );
    const copy = open(target, { ...OPTIONS, extension });
    onTestFinished(() => copy.close());
    expect(await committedEntries(copy)).toBe(500);
  }, 600_000);
});
