import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { openBetterSqlite3 } from "../sqlite/better-sqlite3-connection.ts";
import type { BackupProgress, Connection } from "../sqlite/connection.ts";
import { differences, type Fingerprint, fingerprint } from "./fingerprint.ts";
import { checkIntegrity } from "./integrity.ts";

/** How much of a copy is looked at before it counts as one. */
export type CopyVerification = "none" | "structure" | "contents";

/** A copy to make. */
export interface CopyTask {
  readonly kind: "copy";
  readonly source: string;
  /** Where to write; nothing may be there. */
  readonly target: string;
  readonly pagesPerStep: number;
  readonly verification: CopyVerification;
}

/** A copy that was made. */
export interface CopyOutcome {
  readonly pages: number;
  readonly bytes: number;
  /** SHA-256 of the file. */
  readonly sha256: string;
  /** Why it is not a faithful copy; empty when it is, or was not verified. */
  readonly problems: readonly string[];
}

const BUSY_TIMEOUT_MS = 5_000;
const PIN_SNAPSHOT = "SELECT count(*) FROM sqlite_master";

/**
 * Copies a database file that may be in use, through a connection of its own that holds one snapshot
 * from the first page to the last: the copy is the database of one moment, commits of others neither
 * restart it nor get into it, and it can be compared with exactly what was copied.
 */
export async function copyDatabase(
  task: CopyTask,
  onProgress?: (progress: BackupProgress) => void,
): Promise<CopyOutcome> {
  const source = openSource(task.source);
  let expected: Fingerprint | undefined;
  try {
    source.exec("BEGIN");
    source.prepare(PIN_SNAPSHOT).row([]);
    await source.backup(task.target, { pagesPerStep: task.pagesPerStep, onProgress });
    expected = expectation(source, task.verification);
  } finally {
    source.close();
  }
  return finishCopy(task.target, task.verification, expected);
}

/** Copies what `source` sees now, in one step; the way for databases that are not a file. */
export async function copyConnection(
  source: Connection,
  target: string,
  verification: CopyVerification,
): Promise<CopyOutcome> {
  source.prepare("VACUUM INTO ?").run([target]);
  return finishCopy(target, verification, expectation(source, verification));
}

function openSource(path: string): Connection {
  return openBetterSqlite3(path, {
    busyTimeoutMs: BUSY_TIMEOUT_MS,
    statementCacheSize: 16,
    readonly: true,
  });
}

function expectation(source: Connection, verification: CopyVerification): Fingerprint | undefined {
  return verification === "none" ? undefined : fingerprint(source, verification === "contents");
}

async function finishCopy(
  target: string,
  verification: CopyVerification,
  expected: Fingerprint | undefined,
): Promise<CopyOutcome> {
  const copy = openBetterSqlite3(target, { busyTimeoutMs: 0, statementCacheSize: 16 });
  const problems: string[] = [];
  let pages: number;
  try {
    // one file that needs no companions; opening it with open() turns write-ahead logging on again
    copy.prepare("PRAGMA journal_mode = DELETE").row([]);
    pages = Number(copy.prepare("PRAGMA page_count").row([])?.[0]);
    if (expected !== undefined) {
      problems.push(...checkIntegrity(copy, 20).problems);
      if (problems.length === 0) {
        problems.push(...differences(expected, fingerprint(copy, verification === "contents")));
      }
    }
  } finally {
    copy.close();
  }
  return { pages, ...(await sealFile(target)), problems };
}

/** Flushes a file that SQLite no longer has open, and hashes it. */
async function sealFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const file = await openFile(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).byteLength;
  }
  return { bytes, sha256: hash.digest("hex") };
}
