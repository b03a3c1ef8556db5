import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { HonkerError, open } from "@alkdev/honker";
import { engineModes, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { Child } from "./child.ts";
import { committedEntries, LEDGER, writeEntry } from "./entries.ts";

describe.each(engineModes)("M1: files that cannot be used $mode", ({ extension }) => {
  /** A closed database with some entries. */
  const closedDatabase = (): string => {
    const path = join(tempFolder(), "test.db");
    const db = open(path, { extension });
    db.execute(LEDGER);
    for (let seq = 1; seq <= 5; seq++) writeEntry(db, seq, 3_000);
    db.close();
    return path;
  };

  const openingCode = (path: string): string => {
    try {
      open(path, { extension }).close();
    } catch (error) {
      if (error instanceof HonkerError) return error.code;
      throw error;
    }
    return "opened";
  };

  it.each<[string, (path: string) => void]>([
    [
      "is text",
      (path) => writeFileSync(path, "Dear diary, today I was no database.\n".repeat(200)),
    ],
    [
      "is random",
      (path) =>
        writeFileSync(
          path,
          Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7_919) % 251)),
        ),
    ],
    [
      "has a garbled header",
      (path) => {
        const bytes = readFileSync(path);
        bytes.fill(0x41, 0, 16);
        writeFileSync(path, bytes);
      },
    ],
    [
      "has an impossible page size",
      (path) => {
        const bytes = readFileSync(path);
        bytes.writeUInt16BE(3, 16);
        writeFileSync(path, bytes);
      },
    ],
    ["is cut in half", (path) => truncateSync(path, Math.floor(readFileSync(path).byteLength / 2))],
    ["is cut within its first page", (path) => truncateSync(path, 1_000)],
    [
      "has a garbled schema page",
      (path) => {
        const bytes = readFileSync(path);
        bytes.fill(0x5a, 100, 4_096);
        writeFileSync(path, bytes);
      },
    ],
  ])("refuses a file that %s, and leaves it as it is", (_what, damage) => {
    const path = closedDatabase();
    damage(path);
    const before = readFileSync(path);
    expect(openingCode(path)).toBe("NOT_A_DATABASE");
    expect(openingCode(path)).toBe("NOT_A_DATABASE");
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(dirname(path))).toEqual(["test.db"]);
  });

  it("opens an empty file as a new database", async () => {
    const path = join(tempFolder(), "empty.db");
    writeFileSync(path, "");
    const db = open(path, { extension });
    onTestFinished(() => db.close());
    db.execute(LEDGER);
    writeEntry(db, 1);
    expect(await committedEntries(db)).toBe(1);
  });

  it.each([
    { what: "file and folder", file: 0o444, folder: 0o555 },
    { what: "file", file: 0o444, folder: 0o777 },
    { what: "folder", file: 0o666, folder: 0o555 },
  ])(
    "refuses a read-only $what with a code that says so, and leaves everything as it is",
    async ({ file, folder }) => {
      const path = closedDatabase();
      const before = readFileSync(path);
      chmodSync(path, file);
      chmodSync(dirname(path), folder);
      onTestFinished(() => chmodSync(dirname(path), 0o755));
      const child = new Child("open-as-nobody.ts", [path, extension]);
      const line = await child.line("refused");
      expect(line).toMatch(/^refused (READ_ONLY|CANNOT_OPEN) /);
      expect(line).toMatch(/writ/);
      await child.exited;
      expect(readFileSync(path).equals(before)).toBe(true);
      chmodSync(dirname(path), 0o755);
      chmodSync(path, 0o644);
      const db = open(path, { extension });
      onTestFinished(() => db.close());
      expect(await committedEntries(db)).toBe(5);
    },
  );

  it("cannot make a file in a read-only folder, and says which", async () => {
    const folder = tempFolder();
    chmodSync(folder, 0o555);
    const child = new Child("open-as-nobody.ts", [join(folder, "new.db"), extension]);
    expect(await child.line("refused")).toMatch(/^refused CANNOT_OPEN .*new\.db/);
    await child.exited;
    chmodSync(folder, 0o755);
    expect(existsSync(join(folder, "new.db"))).toBe(false);
  });
});
