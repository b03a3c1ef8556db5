import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, type OpenOptions, open } from "@alkdev/honker";
import { onTestFinished } from "vitest";

/** Makes an empty folder that is removed when the running test ends. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "alkdev-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens a fresh database file that is closed and removed when the running test ends. */
export function tempDatabase(options?: OpenOptions): Database {
  const db = open(join(tempFolder(), "test.db"), options);
  onTestFinished(() => db.close());
  return db;
}
