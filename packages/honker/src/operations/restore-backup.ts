import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { HonkerError } from "../errors.ts";
import { type BackupResult, isDamage } from "./backup.ts";
import { offload } from "./offload.ts";
import {
  moveIntoPlace,
  partialName,
  removePartial,
  requireFree,
  statOrNull,
} from "./replace-file.ts";

/** Options of {@link restoreBackup}. */
export interface RestoreOptions {
  /** Default false: an existing destination is refused. True replaces it, unless it is open. */
  readonly overwrite?: boolean;
  /** Ends the restore; the destination is then as it was. */
  readonly signal?: AbortSignal;
}

/**
 * Copies a backup to `destination`, verified before the destination is touched. The backup file stays
 * as it is. A destination that is open, here or in another process, is never replaced.
 *
 * @throws {@link HonkerError} `BACKUP_INVALID` when the backup is damaged, `FILE_EXISTS`,
 * `OPEN_CONFLICT`, `CANNOT_OPEN`
 * @example
 * ```ts
 * await restoreBackup("./backups/monday.db", "./data/app.db", { overwrite: true });
 * const db = open("./data/app.db");
 * ```
 */
export async function restoreBackup(
  backupFile: string,
  destination: string,
  options: RestoreOptions = {},
): Promise<BackupResult> {
  const started = performance.now();
  const source = resolve(backupFile);
  const target = resolve(destination);
  const { overwrite = false, signal = new AbortController().signal } = options;
  await requireBackup(source, target);
  await requireFree(target, overwrite);
  const temporary = partialName(target);
  try {
    const copy = await offload(
      { kind: "copy", source, target: temporary, pagesPerStep: 10_000, verification: "structure" },
      { bytes: (await stat(source)).size, signal },
    ).catch((error) => {
      throw isDamage(error) ? damaged(source, [error.message]) : error;
    });
    if (copy.problems.length > 0) throw damaged(source, copy.problems);
    signal.throwIfAborted();
    await requireFree(target, overwrite);
    await moveIntoPlace(temporary, target);
    const { pages, bytes, sha256 } = copy;
    const durationMs = performance.now() - started;
    return { path: target, pages, bytes, sha256, durationMs, verified: true };
  } finally {
    await removePartial(temporary);
  }
}

async function requireBackup(source: string, target: string): Promise<void> {
  const [from, to] = await Promise.all([statOrNull(source), statOrNull(target)]);
  if (from === null || !from.isFile()) {
    throw new HonkerError("CANNOT_OPEN", `there is no backup file "${source}"`, {
      details: { path: source },
    });
  }
  if (from.size === 0) throw damaged(source, ["the file is empty"]);
  if (to !== null && to.ino === from.ino && to.dev === from.dev) {
    throw new HonkerError("INVALID_ARGUMENT", `"${target}" is the backup itself`, {
      details: { path: target },
    });
  }
}

function damaged(path: string, problems: readonly string[]): HonkerError {
  return new HonkerError(
    "BACKUP_INVALID",
    `the backup "${path}" is damaged and was not restored: ${problems.slice(0, 3).join("; ")}`,
    { hint: "Restore an older backup", details: { path, problems } },
  );
}
