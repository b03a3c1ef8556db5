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

/** Both ways to run the engine; every suite of the engine runs in each. */
export const engineModes: readonly {
  readonly mode: string;
  readonly extension: "require" | "off";
}[] = [
  { mode: "with the extension", extension: "require" },
  { mode: "in portable mode", extension: "off" },
];
