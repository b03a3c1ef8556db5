import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open, resolveHonkerExtension } from "@alkdev/honker";
import { engineModes, FakeClock, tempDatabase, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { codeOf } from "./code-of.ts";

describe.each(engineModes)("open $mode (M1)", ({ extension, mode }) => {
  it("creates a file in WAL mode with foreign keys on", () => {
    const db = tempDatabase({ extension });
    expect(db.rows("PRAGMA journal_mode")).toEqual([["wal"]]);
    expect(db.rows("PRAGMA foreign_keys")).toEqual([[1]]);
    expect(db.rows("PRAGMA synchronous")).toEqual([[1]]);
    expect(db.hasExtension).toBe(mode === "with the extension");
  });

  it('flushes every commit with durability "full"', () => {
    const db = tempDatabase({ extension, durability: "full" });
    expect(db.rows("PRAGMA synchronous")).toEqual([[2]]);
  });

  it("keeps data over close and reopen", () => {
    const path = join(tempFolder(), "a.db");
    {
      using db = open(path, { extension });
      db.execute("CREATE TABLE t (x)");
      db.execute("INSERT INTO t VALUES (1)");
    }
    using db = open(path, { extension });
    expect(db.rows("SELECT x FROM t")).toEqual([[1]]);
  });

  it("works in memory, each database for itself", () => {
    using a = open(":memory:", { extension });
    using b = open(":memory:", { extension });
    a.execute("CREATE TABLE t (x)");
    expect(codeOf(() => b.query("SELECT * FROM t"))).toBe("SQL_ERROR");
  });

  it("shares the connection with a second handle of the same file, however it is reached", () => {
    const folder = tempFolder();
    const path = join(folder, "a.db");
    const first = open(path, { extension });
    symlinkSync(path, join(folder, "link.db"));
    const second = open(join(folder, "link.db"));
    onTestFinished(() => second.close());
    first.execute("CREATE TABLE t (x)");
    first.transaction(() => {
      first.execute("INSERT INTO t VALUES (1)");
      expect(second.rows("SELECT x FROM t")).toEqual([[1]]);
    });
    first.close();
    expect(codeOf(() => first.query("SELECT 1"))).toBe("CLOSED");
    expect(second.rows("SELECT x FROM t")).toEqual([[1]]);
  });

  it("refuses a second handle that asks for other options", () => {
    const db = tempDatabase({ extension });
    expect(codeOf(() => open(db.path, { durability: "full" }))).toBe("OPEN_CONFLICT");
    expect(codeOf(() => open(db.path, { clock: new FakeClock() }))).toBe("OPEN_CONFLICT");
    expect(() => open(db.path, { durability: "full" })).toThrow(
      /durability by default, not "full"/,
    );
    using same = open(db.path, { extension });
    expect(same.open).toBe(true);
  });

  it("reads a file that the other mode created", () => {
    const path = join(tempFolder(), "a.db");
    const other = extension === "off" ? "require" : "off";
    {
      using db = open(path, { extension });
      db.notify("c", 1);
    }
    using db = open(path, { extension: other });
    expect(db.rows("SELECT payload FROM _honker_notifications")).toEqual([["1"]]);
  });

  it.each<[string, unknown]>([
    ["an empty path", ""],
    ["blanks", "  "],
    ["undefined", undefined],
    ["a number", 5],
    ["a NUL byte", "a\0b"],
  ])("refuses %s as path", (_what, path) => {
    expect(codeOf(() => open(path as string, { extension }))).toBe("INVALID_ARGUMENT");
  });

  it.each([
    [{ durability: "most" }],
    [{ busyTimeoutMs: -1 }],
    [{ busyTimeoutMs: Number.NaN }],
    [{ statementCacheSize: 0 }],
    [{ cacheSizeKiB: 1.5 }],
  ])("refuses the options %j", (options) => {
    expect(codeOf(() => tempDatabase(options as never))).toBe("INVALID_ARGUMENT");
  });

  it("refuses a directory and a missing folder, and creates nothing", () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "sub"));
    expect(codeOf(() => open(join(folder, "sub"), { extension }))).toBe("CANNOT_OPEN");
    expect(() => open(join(folder, "sub"), { extension })).toThrow(/is a directory/);
    expect(codeOf(() => open(join(folder, "no", "a.db"), { extension }))).toBe("CANNOT_OPEN");
    expect(() => open(join(folder, "no", "a.db"), { extension })).toThrow(/folder does not exist/);
    expect(existsSync(join(folder, "no"))).toBe(false);
  });

  it("refuses a file that is not a database, and leaves it as it was", () => {
    const path = join(tempFolder(), "a.db");
    const text = "This is a text file, long enough to have a header of its own. ".repeat(200);
    writeFileSync(path, text);
    expect(codeOf(() => open(path, { extension }))).toBe("NOT_A_DATABASE");
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("can be opened again after an open that failed", () => {
    const folder = tempFolder();
    const path = join(folder, "late", "a.db");
    expect(codeOf(() => open(path, { extension }))).toBe("CANNOT_OPEN");
    mkdirSync(join(folder, "late"));
    using db = open(path, { extension });
    expect(db.rows("SELECT 1")).toEqual([[1]]);
  });

  it("refuses a file whose engine tables differ, and says what differs", () => {
    const path = join(tempFolder(), "a.db");
    {
      using db = open(path, { extension });
      db.execute("ALTER TABLE _honker_live ADD COLUMN extra TEXT NOT NULL DEFAULT ''");
    }
    {
      using fine = open(path, { extension });
      fine.execute("ALTER TABLE _honker_locks RENAME COLUMN owner TO holder");
    }
    expect(codeOf(() => open(path, { extension }))).toBe("UNKNOWN_SCHEMA");
    expect(() => open(path, { extension })).toThrow(
      /_honker_locks\.owner should be TEXT, is missing/,
    );
  });

  it("refuses a file that a newer version has migrated", () => {
    const path = join(tempFolder(), "a.db");
    {
      using db = open(path, { extension });
      db.execute("INSERT INTO _alk_migrations (version, applied_at) VALUES (99999, 0)");
      // another schema text, so that this process does not remember the file's schema as known
      db.execute("CREATE TABLE _alk_future (x)");
    }
    expect(codeOf(() => open(path, { extension }))).toBe("UNKNOWN_SCHEMA");
    expect(() => open(path, { extension })).toThrow(/version 99999/);
  });

  it("opens a file of the current schema while another process holds the write lock", () => {
    const path = join(tempFolder(), "a.db");
    open(path, { extension }).close();
    const script = `
      import { open } from "@alkdev/honker";
      open(${JSON.stringify(path)}, { extension: ${JSON.stringify(extension)}, busyTimeoutMs: 0 }).close();
    `;
    using db = open(path, { extension });
    db.transaction(() => {
      const args = ["--conditions=@alkdev/source", "--input-type=module", "-e", script];
      const { status, stderr } = spawnSync(process.execPath, args, {
        encoding: "utf8",
        cwd: import.meta.dirname,
      });
      expect({ status, stderr }).toMatchObject({ status: 0 });
    });
  });

  it("opens a new file in five processes at once", { timeout: 60_000 }, () => {
    const path = join(tempFolder(), "a.db");
    const script = `
      import { open } from "@alkdev/honker";
      const db = open(${JSON.stringify(path)}, { extension: ${JSON.stringify(extension)} });
      db.notify("c", process.pid);
      db.close();
    `;
    const run = `for i in 1 2 3 4 5; do node --conditions=@alkdev/source --input-type=module -e "$SCRIPT" & done; wait $(jobs -p)`;
    const result = spawnSync("bash", ["-c", run], {
      env: { ...process.env, SCRIPT: script },
      encoding: "utf8",
      cwd: import.meta.dirname,
    });
    expect(result.stderr.replace(/.*ExperimentalWarning.*\n?/g, "")).toBe("");
    using db = open(path, { extension });
    expect(db.rows("SELECT count(*) FROM _honker_notifications")).toEqual([[5]]);
  });
});

describe("the extension (M1)", () => {
  it("is found in its package, and an explicit path is taken as it is", () => {
    const lookup = resolveHonkerExtension();
    expect(lookup).toMatchObject({ source: "package" });
    const file = lookup.file as string;
    const db = tempDatabase({ extension: file });
    expect(db.hasExtension).toBe(true);
  });

  it("named by a path that does not exist is an error, also in auto", () => {
    expect(codeOf(() => tempDatabase({ extension: "/no/such/extension.so" }))).toBe(
      "EXTENSION_UNAVAILABLE",
    );
    vi.stubEnv("HONKER_EXTENSION_PATH", "/no/such/extension.so");
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(() => tempDatabase({ extension: "auto" })).toThrow(
      /HONKER_EXTENSION_PATH.*does not exist/,
    );
  });

  it("that is no SQLite extension is refused, and leaves no open file", () => {
    const folder = tempFolder();
    const fake = join(folder, "fake.so");
    writeFileSync(fake, "not a library");
    const path = join(folder, "a.db");
    expect(codeOf(() => open(path, { extension: fake }))).toBe("EXTENSION_UNAVAILABLE");
    using db = open(path, { extension: "off" });
    expect(db.open).toBe(true);
  });

  it("of another kind is refused with the functions it lacks", () => {
    const folder = tempFolder();
    const source = join(folder, "other.c");
    // a valid SQLite extension that registers nothing
    writeFileSync(
      source,
      "int sqlite3_extension_init(void *db, char **e, const void *api) { return 0; }",
    );
    const library = join(folder, "other.so");
    execFileSync("cc", ["-shared", "-fPIC", "-o", library, source]);
    expect(codeOf(() => tempDatabase({ extension: library }))).toBe("UNKNOWN_SCHEMA");
    expect(() => tempDatabase({ extension: library })).toThrow(/lacks honker_bootstrap\/0/);
  });

  it("is not needed to use a file in portable mode", () => {
    const db = tempDatabase({ extension: "off" });
    expect(db.hasExtension).toBe(false);
    expect(codeOf(() => db.query("SELECT notify('c', '1')"))).toBe("SQL_ERROR");
  });
});
