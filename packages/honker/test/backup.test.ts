import { createHash } from "node:crypto";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Database, HonkerError, open, restoreBackup } from "@alkdev/honker";
import { engineModes, tempDatabase, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

const rejection = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof HonkerError) return error.code;
    throw error;
  }
  return "nothing was thrown";
};

const reopen = (path: string, extension: "require" | "off"): Database => {
  const db = open(path, { extension });
  onTestFinished(() => db.close());
  return db;
};

const fill = (db: Database, rows: number, bytes = 100): void => {
  db.execute("CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, body BLOB)");
  db.transaction((tx) => {
    for (let i = 0; i < rows; i++) {
      tx.execute("INSERT INTO item (body) VALUES (randomblob(?))", [bytes]);
    }
  });
};

const count = (db: Database): unknown => db.rows("SELECT count(*) FROM item")[0]?.[0];

/** Files of a backup folder, hidden ones too. */
const names = (folder: string): string[] => readdirSync(folder).sort();

describe.each(engineModes)("M13: backup $mode", ({ extension }) => {
  it("refuses a destination that exists, and leaves it as it was", async () => {
    const db = tempDatabase({ extension });
    const file = join(tempFolder(), "notes.txt");
    writeFileSync(file, "mine");
    expect(await rejection(db.backup(file))).toBe("FILE_EXISTS");
    expect(readFileSync(file, "utf8")).toBe("mine");
  });

  it.each([
    ["the path", (_path: string) => undefined],
    ["a symbolic link", symlinkSync],
    ["a hard link", linkSync],
  ])("refuses the database itself, named by %s", async (name, link) => {
    const db = tempDatabase({ extension });
    const other = name === "the path" ? db.path : join(dirname(db.path), "other.db");
    link(db.path, other);
    expect(await rejection(db.backup(other, { overwrite: true }))).toBe("INVALID_ARGUMENT");
  });

  it("refuses a missing folder, a folder, and nonsense", async () => {
    const db = tempDatabase({ extension });
    const folder = tempFolder();
    expect(await rejection(db.backup(join(folder, "missing", "a.db")))).toBe("CANNOT_OPEN");
    expect(await rejection(db.backup(folder))).toBe("FILE_EXISTS");
    expect(await rejection(db.backup(""))).toBe("INVALID_ARGUMENT");
    expect(await rejection(db.backup(join(folder, "a.db"), { pagesPerStep: 0 }))).toBe(
      "INVALID_ARGUMENT",
    );
    expect(await rejection(db.backup(join(folder, "a.db"), { verify: "yes" as never }))).toBe(
      "INVALID_ARGUMENT",
    );
    expect(names(folder)).toEqual([]);
  });

  it("refuses a destination beside which a journal of another database lies", async () => {
    const db = tempDatabase({ extension });
    const folder = tempFolder();
    writeFileSync(join(folder, "copy.db-wal"), "left behind");
    expect(await rejection(db.backup(join(folder, "copy.db")))).toBe("FILE_EXISTS");
    await db.backup(join(folder, "copy.db"), { overwrite: true });
    expect(names(folder)).toEqual(["copy.db"]);
  });

  it("never replaces a database that is open", async () => {
    const db = tempDatabase({ extension });
    const other = tempDatabase({ extension });
    fill(other, 3);
    expect(await rejection(db.backup(other.path, { overwrite: true }))).toBe("OPEN_CONFLICT");
    expect(count(other)).toBe(3);
    expect(names(dirname(other.path)).filter((name) => name.endsWith(".partial"))).toEqual([]);
    other.close();
    await db.backup(other.path, { overwrite: true });
    expect(
      reopen(other.path, extension).query("SELECT * FROM sqlite_master WHERE name = 'item'"),
    ).toEqual([]);
  });

  it("is refused on a closed database and ended by closing it", async () => {
    const db = tempDatabase({ extension });
    fill(db, 2_000, 4_000);
    const folder = tempFolder();
    const running = rejection(db.backup(join(folder, "copy.db"), { pagesPerStep: 1 }));
    db.close();
    expect(await running).toBe("CLOSED");
    expect(await rejection(db.backup(join(folder, "copy.db")))).toBe("CLOSED");
    expect(names(folder)).toEqual([]);
  });

  it("gives one file with everything in it, and says what it is", async () => {
    const db = tempDatabase({ extension });
    fill(db, 50);
    db.notify("hello", { n: 1 });
    const path = join(tempFolder(), "copy.db");
    const result = await db.backup(path, { verify: "contents" });
    const bytes = readFileSync(path);
    expect(result).toMatchObject({
      path,
      bytes: bytes.byteLength,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      verified: true,
    });
    expect(result.pages * 4_096).toBe(bytes.byteLength);
    expect(names(dirname(path))).toEqual(["copy.db"]);
    const copy = reopen(path, extension);
    expect(copy.rows("SELECT * FROM item ORDER BY id")).toEqual(
      db.rows("SELECT * FROM item ORDER BY id"),
    );
    expect(copy.rows("SELECT channel, payload FROM _honker_notifications")).toEqual([
      ["hello", '{"n":1}'],
    ]);
    expect(copy.rows("PRAGMA journal_mode")).toEqual([["wal"]]);
  });

  it("copies the moment it was called, whatever is written until it ends", async () => {
    const db = tempDatabase({ extension });
    fill(db, 200, 4_000);
    const path = join(tempFolder(), "copy.db");
    let steps = 0;
    const result = await db.backup(path, {
      pagesPerStep: 10,
      onProgress: () => {
        steps += 1;
        db.execute("INSERT INTO item (body) VALUES (randomblob(4000))");
        db.execute("UPDATE item SET body = 'changed' WHERE id = ?", [steps]);
      },
    });
    expect(result.verified).toBe(true);
    expect(steps).toBeGreaterThan(10);
    expect(count(db)).toBe(200 + steps);
    const copy = reopen(path, extension);
    expect(count(copy)).toBe(200);
    expect(copy.rows("SELECT count(*) FROM item WHERE body = 'changed'")).toEqual([[0]]);
  });

  it("does not hold uncommitted work", async () => {
    const db = tempDatabase({ extension });
    fill(db, 10);
    const path = join(tempFolder(), "copy.db");
    const tx = db.transaction();
    tx.execute("DELETE FROM item");
    await db.backup(path);
    tx.rollback();
    expect(count(reopen(path, extension))).toBe(10);
  });

  it("copies a large file in a thread, without keeping the event loop from turning", async () => {
    const db = tempDatabase({ extension });
    fill(db, 3_000, 4_000);
    const path = join(tempFolder(), "copy.db");
    const progress: number[] = [];
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    const result = await db.backup(path, {
      pagesPerStep: 500,
      onProgress: ({ remainingPages }) => progress.push(remainingPages),
    });
    clearInterval(timer);
    expect(result.bytes).toBeGreaterThan(12_000_000);
    expect(progress.length).toBeGreaterThan(5);
    expect(progress).toEqual(progress.toSorted((a, b) => b - a));
    expect(turns).toBeGreaterThan(3);
    expect(count(reopen(path, extension))).toBe(3_000);
  });

  it.each([
    ["a small file", 10],
    ["a large file", 3_000],
  ])(
    "ends with the error of onProgress, or the reason of the signal, on %s",
    async (_size, rows) => {
      const db = tempDatabase({ extension });
      fill(db, rows, 4_000);
      const folder = tempFolder();
      const path = join(folder, "copy.db");
      const stop = new Error("enough");
      await expect(
        db.backup(path, {
          pagesPerStep: 2,
          onProgress: () => {
            throw stop;
          },
        }),
      ).rejects.toThrow("enough");
      const controller = new AbortController();
      const running = db.backup(path, {
        pagesPerStep: 2,
        signal: controller.signal,
        onProgress: () => controller.abort(stop),
      });
      await expect(running).rejects.toThrow("enough");
      await expect(db.backup(path, { signal: AbortSignal.abort(stop) })).rejects.toThrow("enough");
      expect(names(folder)).toEqual([]);
      expect(count(db)).toBe(rows);
    },
  );

  it("is discarded when the database is damaged, unless it is not to be verified", async () => {
    const folder = tempFolder();
    const source = join(folder, "source.db");
    const db = open(source, { extension });
    fill(db, 300, 1_000);
    db.execute("CREATE INDEX item_body ON item (body)");
    db.close();
    garble(source);
    const damaged = reopen(source, extension);
    const path = join(folder, "copy.db");
    expect(await rejection(damaged.backup(path))).toMatch(/BACKUP_INVALID|NOT_A_DATABASE/);
    expect(
      names(folder).filter((name) => name.startsWith("copy") || name.includes("partial")),
    ).toEqual([]);
    const result = await damaged.backup(path, { verify: false });
    expect(result.verified).toBe(false);
    expect(existsSync(path)).toBe(true);
  });

  it("removes what a killed backup to the same name left, and only that", async () => {
    const db = tempDatabase({ extension });
    const folder = tempFolder();
    const long = new Date(Date.now() - 2 * 3_600_000);
    for (const name of [
      ".copy.db.1-a.partial",
      ".copy.db.1-a.partial-journal",
      ".b.db.1-a.partial",
    ]) {
      writeFileSync(join(folder, name), "half");
      utimesSync(join(folder, name), long, long);
    }
    writeFileSync(join(folder, ".copy.db.2-b.partial"), "another backup that is running");
    await db.backup(join(folder, "copy.db"));
    expect(names(folder)).toEqual([".b.db.1-a.partial", ".copy.db.2-b.partial", "copy.db"]);
  });

  it("copies a database in memory too", async () => {
    const db = open(":memory:", { extension });
    onTestFinished(() => db.close());
    fill(db, 5);
    const folder = tempFolder();
    const tx = db.transaction();
    expect(await rejection(db.backup(join(folder, "copy.db")))).toBe("TRANSACTION_STATE");
    tx.rollback();
    const { verified } = await db.backup(join(folder, "copy.db"), { verify: "contents" });
    expect(verified).toBe(true);
    expect(count(reopen(join(folder, "copy.db"), extension))).toBe(5);
  });
});

describe.each(engineModes)("M13: restoreBackup $mode", ({ extension }) => {
  const backedUp = async (rows: number): Promise<string> => {
    const db = tempDatabase({ extension });
    fill(db, rows, 1_000);
    const path = join(tempFolder(), "backup.db");
    await db.backup(path);
    return path;
  };

  it("refuses a backup that is missing, empty, no database, or cut short", async () => {
    const folder = tempFolder();
    const target = join(folder, "app.db");
    const empty = join(folder, "empty.db");
    const text = join(folder, "text.db");
    writeFileSync(empty, "");
    writeFileSync(text, "this is not a database".repeat(100));
    const cut = await backedUp(50);
    truncateSync(cut, 20_000);
    expect(await rejection(restoreBackup(join(folder, "none.db"), target))).toBe("CANNOT_OPEN");
    expect(await rejection(restoreBackup(empty, target))).toBe("BACKUP_INVALID");
    expect(await rejection(restoreBackup(text, target))).toBe("BACKUP_INVALID");
    expect(await rejection(restoreBackup(cut, target))).toBe("BACKUP_INVALID");
    expect(names(folder)).toEqual(["empty.db", "text.db"]);
  });

  it("refuses a damaged backup and leaves the destination alone", async () => {
    const backup = await backedUp(300);
    garble(backup);
    const target = join(tempFolder(), "app.db");
    const before = open(target, { extension });
    fill(before, 7);
    before.close();
    expect(await rejection(restoreBackup(backup, target, { overwrite: true }))).toBe(
      "BACKUP_INVALID",
    );
    expect(count(reopen(target, extension))).toBe(7);
  });

  it("refuses to restore over the backup, an existing file, or an open database", async () => {
    const backup = await backedUp(3);
    expect(await rejection(restoreBackup(backup, backup, { overwrite: true }))).toBe(
      "INVALID_ARGUMENT",
    );
    const db = tempDatabase({ extension });
    expect(await rejection(restoreBackup(backup, db.path))).toBe("FILE_EXISTS");
    expect(await rejection(restoreBackup(backup, db.path, { overwrite: true }))).toBe(
      "OPEN_CONFLICT",
    );
  });

  it("brings back what was backed up, also over a file that is beyond repair", async () => {
    const backup = await backedUp(40);
    const sha = createHash("sha256").update(readFileSync(backup)).digest("hex");
    const target = join(tempFolder(), "app.db");
    writeFileSync(target, "ruined");
    writeFileSync(`${target}-wal`, "ruined too");
    const result = await restoreBackup(backup, target, { overwrite: true });
    expect(result).toMatchObject({ path: target, verified: true });
    expect(names(dirname(target))).toEqual([basename(target)]);
    expect(count(reopen(target, extension))).toBe(40);
    expect(createHash("sha256").update(readFileSync(backup)).digest("hex")).toBe(sha);
  });

  it("restores into a new folder's file without overwrite", async () => {
    const backup = await backedUp(4);
    const folder = join(tempFolder(), "new");
    mkdirSync(folder);
    await restoreBackup(backup, join(folder, "app.db"));
    expect(count(reopen(join(folder, "app.db"), extension))).toBe(4);
  });
});

/** Overwrites pages in the middle of a closed database file. */
function garble(path: string): void {
  const bytes = readFileSync(path);
  const pages = bytes.byteLength / 4_096;
  for (let page = Math.floor(pages / 2); page < pages - 2; page++) {
    bytes.fill(0x5a, page * 4_096, (page + 1) * 4_096);
  }
  writeFileSync(path, bytes);
}
