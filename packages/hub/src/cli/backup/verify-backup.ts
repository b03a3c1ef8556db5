import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { restoreBackup } from "@alkdev/honker";
import { describeError } from "../describe-error.ts";
import type { Run } from "../shell.ts";
import { type BackupFile, readManifest, sha256Of } from "./manifest.ts";

/** What came of looking at one file. */
export interface VerifiedFile {
  readonly name: string;
  readonly orgId: string | null;
  readonly ok: boolean;
  /** What is wrong; null where nothing is. */
  readonly problem: string | null;
}

/**
 * Looks at every file of a backup: its SHA-256, and whether a copy of it can be opened and is whole. The backup
 * stays as it is.
 *
 * @throws HubError `NOT_FOUND`, `INVALID_ARGUMENT`
 */
export async function verifyBackup(run: Run, source: string): Promise<readonly VerifiedFile[]> {
  const { files } = readManifest(resolve(source));
  const verified: VerifiedFile[] = [];
  for (const [at, file] of files.entries()) {
    run.progress.update({ label: file.name, done: at, total: files.length });
    const problem = await problemOf(run, resolve(source), file);
    verified.push({ name: file.name, orgId: file.orgId, ok: problem === null, problem });
  }
  run.progress.clear();
  return verified;
}

/** Whether a copy of a file can be restored; null if so, else why not. */
export async function problemOfFile(path: string, signal: AbortSignal): Promise<string | null> {
  // beside it, where there is room for what is there already
  const folder = mkdtempSync(join(dirname(path), ".verify-"));
  try {
    await restoreBackup(path, join(folder, "copy.db"), { signal });
    return null;
  } catch (error) {
    signal.throwIfAborted();
    return describeError(error).message;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function problemOf(
  { signal }: Run,
  folder: string,
  file: BackupFile,
): Promise<string | null> {
  const path = join(folder, file.name);
  if (!existsSync(path)) return "it is missing";
  const sha256 = await sha256Of(path, signal);
  if (sha256 !== file.sha256) return `its SHA-256 is ${sha256}, not ${file.sha256}: it was changed`;
  return await problemOfFile(path, signal);
}
