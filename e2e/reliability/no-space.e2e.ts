import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Database, HonkerError, open } from "@alkdev/honker";
import { engineModes, tempDatabase, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { Child } from "./child.ts";
import { committedEntries, LEDGER, writeEntry } from "./entries.ts";
import { report } from "./report.ts";

/** Writes entries after the first `from` until one is refused; returns how many were acknowledged. */
function writeUntilRefused(db: Database, from: number): { acked: number; code: string } {
  let acked = from;
  for (;;) {
    try {
      writeEntry(db, acked + 1, 30_000);
      acked += 1;
    } catch (error) {
      if (!(error instanceof HonkerError)) throw error;
      return { acked, code: error.code };
    }
  }
}

/** A file system of 2 MB, or undefined where this user may not mount one. */
function smallFileSystem(): string | undefined {
  const folder = tempFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  onTestFinished(() => {
    execFileSync("umount", [folder]);
  });
  return folder;
}

describe.each(engineModes)("M3: no space left $mode", ({ extension }) => {
  it("rolls the whole transaction back when the file may not grow, and goes on when it may", async () => {
    const db = tempDatabase({ extension });
    db.execute(LEDGER);
    const pages = Number(db.rows("PRAGMA page_count")[0]?.[0]);
    db.rows(`PRAGMA max_page_count = ${pages + 60}`);
    const full = writeUntilRefused(db, 0);
    expect(full.code).toBe("DISK_FULL");
    expect(full.acked).toBeGreaterThan(2);
    expect(db.inTransaction).toBe(false);
    expect(await committedEntries(db)).toBe(full.acked);
    db.rows(`PRAGMA max_page_count = ${pages + 6_000}`);
    writeEntry(db, full.acked + 1);
    expect(await committedEntries(db)).toBe(full.acked + 1);
  });

  it("undoes a savepoint and its transaction alike, and tells afterCommit hooks nothing", () => {
    const db = tempDatabase({ extension });
    db.execute(LEDGER);
    const pages = Number(db.rows("PRAGMA page_count")[0]?.[0]);
    db.rows(`PRAGMA max_page_count = ${pages + 10}`);
    let hooks = 0;
    expect(() =>
      db.transaction((tx) => {
        tx.afterCommit(() => {
          hooks += 1;
        });
        tx.execute("INSERT INTO ledger VALUES (1, 'outer')");
        tx.transaction((inner) => {
          inner.execute("INSERT INTO ledger VALUES (2, randomblob(1000000))");
        });
      }),
    ).toThrow(expect.objectContaining({ code: "DISK_FULL" }));
    expect(db.rows("SELECT count(*) FROM ledger")).toEqual([[0]]);
    expect({ hooks, inTransaction: db.inTransaction }).toEqual({ hooks: 0, inTransaction: false });
    db.transaction((tx) => tx.execute("INSERT INTO ledger VALUES (1, 'again')"));
  });

  it("holds what was acknowledged when the disk is really full, here, after reopening, and after space is freed", async () => {
    const folder = smallFileSystem();
    // where mounting is not allowed the limits of the other tests have to do
    report("full file system", { mode: extension, mounted: folder !== undefined });
    if (folder === undefined) return;
    const filler = join(folder, "filler");
    const path = join(folder, "test.db");
    writeFileSync(filler, Buffer.alloc(1_000_000));
    let db = open(path, { extension });
    onTestFinished(() => db.close());
    db.execute(LEDGER);
    const full = writeUntilRefused(db, 0);
    expect(full.code).toMatch(/DISK_FULL|IO_ERROR/);
    expect(full.acked).toBeGreaterThan(2);
    expect(await committedEntries(db)).toBe(full.acked);
    await expect(db.backup(join(folder, "copy.db"))).rejects.toMatchObject({ code: "DISK_FULL" });
    rmSync(filler);
    writeEntry(db, full.acked + 1);
    db.close();
    db = open(path, { extension });
    expect(await committedEntries(db)).toBe(full.acked + 1);
  });

  it("survives an I/O error in the middle of a commit", async () => {
    const path = join(tempFolder(), "test.db");
    const child = new Child("limited-writer.ts", [path, extension], {
      wrapper: ["prlimit", "--fsize=600000:unlimited"],
    });
    expect(await child.line("refused")).toBe("refused IO_ERROR");
    expect(await child.line("entries")).toMatch(/^entries (\d+) of \1$/);
    await child.exited;
    const db = open(path, { extension });
    onTestFinished(() => db.close());
    expect(await committedEntries(db)).toBeGreaterThan(5);
  });
});
