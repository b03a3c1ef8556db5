import { readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Core } from "../core/core.ts";
import { requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import type { BackupProgress } from "../sqlite/connection.ts";
import { type CopyOutcome, type CopyVerification, copyConnection } from "./copy-database.ts";
import { offload } from "./offload.ts";
import {
  isPartialName,
  moveIntoPlace,
  partialName,
  removePartial,
  requireFree,
  statOrNull,
} from "./replace-file.ts";

/** Options of {@link Database.backup}. */
export interface BackupOptions {
  /** Called between steps with the pages left. Throwing ends the backup. */
  readonly onProgress?: (progress: BackupProgress) => void;
  /**
   * Default `true`: the copy is opened, all its pages, indexes and constraints are checked, and its
   * schema and the row count of each table are compared with what was copied. `"contents"` also
   * compares every value. `false` only where something else verifies the copy.
   */
  readonly verify?: boolean | "contents";
  /** Pages copied per step, default 1,000. Lower it to copy more gently, and slower. */
  readonly pagesPerStep?: number;
  /** Default false: an existing destination is refused. True replaces it, unless it is open. */
  readonly overwrite?: boolean;
  /** Ends the backup; nothing is left behind. */
  readonly signal?: AbortSignal;
}

/** A finished backup. */
export interface BackupResult {
  /** Absolute path of the copy. */
  readonly path: string;
  readonly pages: number;
  readonly bytes: number;
  /** SHA-256 of the file, to compare with after it was moved elsewhere. */
  readonly sha256: string;
  readonly durationMs: number;
  /** Whether the copy was opened and compared with its source. */
  readonly verified: boolean;
}

/** A partial copy not written to for this long has lost its process. */
const ABANDONED_AFTER_MS = 3_600_000;

/**
 * Copies the open database to `destination` under a temporary name, verifies the copy by opening it,
 * then gives it its name: a file of that name is a whole backup or is not there.
 */
export async function backupDatabase(
  core: Core,
  destination: string,
  options: BackupOptions & { readonly signal: AbortSignal },
): Promise<BackupResult> {
  const started = performance.now();
  const target = await checkedDestination(core, destination, options);
  await removeAbandoned(target);
  const temporary = partialName(target);
  const verification = verificationOf(options.verify ?? true);
  try {
    const copy = await makeCopy(core, temporary, { ...options, verification }).catch((error) => {
      throw isDamage(error) ? unfaithful(core.path, [error.message]) : error;
    });
    if (copy.problems.length > 0) throw unfaithful(core.path, copy.problems);
    options.signal.throwIfAborted();
    await requireFree(target, options.overwrite ?? false);
    await moveIntoPlace(temporary, target);
    return {
      path: target,
      pages: copy.pages,
      bytes: copy.bytes,
      sha256: copy.sha256,
      durationMs: performance.now() - started,
      verified: verification !== "none",
    };
  } finally {
    await removePartial(temporary);
  }
}

/** Whether reading failed because the file is not what it should be. */
export function isDamage(error: unknown): error is HonkerError {
  return error instanceof HonkerError && error.code === "NOT_A_DATABASE";
}

interface CopyOptions extends BackupOptions {
  readonly signal: AbortSignal;
  readonly verification: CopyVerification;
}

async function makeCopy(core: Core, target: string, options: CopyOptions): Promise<CopyOutcome> {
  const { signal, verification, onProgress } = options;
  if (core.path === ":memory:") {
    if (core.connection.inTransaction) {
      throw new HonkerError(
        "TRANSACTION_STATE",
        "a database in memory cannot be backed up inside a transaction",
        { hint: "Commit or roll back first" },
      );
    }
    return copyConnection(core.connection, target, verification);
  }
  const pagesPerStep = options.pagesPerStep ?? 1_000;
  return offload(
    { kind: "copy", source: core.path, target, pagesPerStep, verification },
    { bytes: (await stat(core.path)).size, signal, onProgress },
  );
}

async function checkedDestination(
  core: Core,
  destination: unknown,
  options: BackupOptions,
): Promise<string> {
  if (typeof destination !== "string" || destination.trim() === "" || destination.includes("\0")) {
    throw new HonkerError("INVALID_ARGUMENT", "the destination of a backup must be a file path");
  }
  if (options.pagesPerStep !== undefined) {
    requireNumber(options.pagesPerStep, "pagesPerStep", { min: 1, max: 1_000_000, integer: true });
  }
  verificationOf(options.verify ?? true);
  const target = resolve(destination);
  await requireOtherFile(core.path, target);
  await requireFree(target, options.overwrite ?? false);
  return target;
}

function verificationOf(verify: unknown): CopyVerification {
  if (verify === true) return "structure";
  if (verify === false) return "none";
  if (verify === "contents") return "contents";
  throw new HonkerError(
    "INVALID_ARGUMENT",
    `verify must be true, false or "contents", got ${String(verify)}`,
  );
}

/** By device and inode: another name, a symbolic or a hard link is still the same file. */
async function requireOtherFile(source: string, target: string): Promise<void> {
  const [from, to] = await Promise.all([statOrNull(source), statOrNull(target)]);
  if (to === null || from?.ino !== to.ino || from.dev !== to.dev) return;
  throw new HonkerError("INVALID_ARGUMENT", `"${target}" is the database itself`, {
    hint: "Back up to another file",
    details: { path: target },
  });
}

/** Removes what killed backups to the same destination left. */
async function removeAbandoned(target: string): Promise<void> {
  const folder = dirname(target);
  for (const name of await readdir(folder)) {
    if (!isPartialName(name, target)) continue;
    const path = join(folder, name);
    const found = await statOrNull(path);
    // file times are the machine's, whatever clock the engine was given
    if (found !== null && Date.now() - Number(found.mtimeMs) > ABANDONED_AFTER_MS) {
      await removePartial(path);
    }
  }
}

function unfaithful(source: string, problems: readonly string[]): HonkerError {
  const shown = problems.slice(0, 3).join("; ");
  return new HonkerError(
    "BACKUP_INVALID",
    `the backup of "${source}" was discarded: ${shown}${problems.length > 3 ? ` and ${problems.length - 3} more` : ""}`,
    {
      hint: "Run integrityCheck() on the database; verify: false copies it as it is",
      details: { path: source, problems },
    },
  );
}
