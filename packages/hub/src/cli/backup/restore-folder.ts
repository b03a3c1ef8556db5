import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { open, restoreBackup } from "@alkdev/honker";
import {
  createSystemDatabase,
  createTenantManager,
  localTenantStore,
} from "@alkdev/storage/sqlite";
import { HubError } from "../../errors.ts";
import { RESTORING_FILE, SYSTEM_FILE, TENANTS_FOLDER } from "../data-folder.ts";
import type { DataRun } from "../shell.ts";
import { type BackupFile, type Manifest, readManifest, sha256Of } from "./manifest.ts";

/** What a restore did. */
export interface RestoredFolder {
  readonly data: string;
  readonly takenAt: string;
  /** Tenants that are there again. */
  readonly tenants: number;
  /** Tenants that `system.db` knows and that the backup does not hold. */
  readonly missing: readonly string[];
  /** Files of tenants that were made while the backup was taken; `system.db` does not know them. */
  readonly unknown: readonly string[];
}

/**
 * Makes a data folder from a backup: every file is compared with its SHA-256, copied, verified, and opened. The
 * folder cannot be used before all of it is there; killed, it goes on when it is run again.
 *
 * @throws HubError `ALREADY_EXISTS` for a folder with data, `NOT_FOUND`, `INVALID_ARGUMENT`, and what a copy throws
 */
export async function restoreFolder(run: DataRun, source: string): Promise<RestoredFolder> {
  const { data, progress, signal } = run;
  const from = resolve(source);
  const manifest = readManifest(from);
  begin(data.path, manifest);
  const { files } = manifest;
  for (const [at, file] of files.entries()) {
    progress.update({ label: file.name, done: at, total: files.length });
    await restoreFile(join(from, file.name), targetOf(data.path, file), { file, signal });
  }
  progress.clear();
  const restored = settle(run, manifest);
  rmSync(join(data.path, RESTORING_FILE));
  return restored;
}

/** Marks the folder, unless it was marked by a restore of the same backup that was killed. */
function begin(path: string, manifest: Manifest): void {
  const marker = join(path, RESTORING_FILE);
  const mark = JSON.stringify({ takenAt: manifest.takenAt, files: manifest.files });
  if (existsSync(marker)) {
    if (readFileSync(marker, "utf8") === mark) return;
    throw new HubError("ALREADY_EXISTS", `"${path}" is being restored from another backup`, {
      hint: "If nobody does that any more, empty the folder",
      details: { path },
    });
  }
  if (existsSync(path) && readdirSync(path).length > 0) {
    throw new HubError("ALREADY_EXISTS", `"${path}" is not empty`, {
      hint: "Restore into a new folder (--data), then put that in the place of the old one",
      details: { path },
    });
  }
  mkdirSync(path, { recursive: true, mode: 0o700 });
  writeFileSync(marker, mark, { flag: "wx", flush: true });
}

async function restoreFile(
  source: string,
  target: string,
  { file, signal }: { readonly file: BackupFile; readonly signal: AbortSignal },
): Promise<void> {
  if (!existsSync(source)) {
    throw new HubError("NOT_FOUND", `"${source}" of the backup is missing`, {
      details: { source },
    });
  }
  const sha256 = await sha256Of(source, signal);
  if (sha256 !== file.sha256) {
    throw new HubError("INVALID_ARGUMENT", `"${source}" was changed since the backup was taken`, {
      hint: "Take it from another copy of the backup",
      details: { source, expected: file.sha256, found: sha256 },
    });
  }
  mkdirSync(dirname(target), { recursive: true });
  await restoreBackup(source, target, { overwrite: true, signal });
}

/** Puts away the files of archived tenants, opens every other one, and drops those that nobody knows. */
function settle({ data }: DataRun, { files, takenAt }: Manifest): RestoredFolder {
  const system = createSystemDatabase(open(join(data.path, SYSTEM_FILE)));
  try {
    const store = localTenantStore(data.tenantsFolder);
    // it also finishes or undoes what was going on with a tenant when the backup was taken
    using tenants = createTenantManager({ folder: data.tenantsFolder, system, store });
    const held = files.flatMap(({ orgId }) => (orgId === null ? [] : [orgId]));
    const there = held.filter((orgId) => tenants.get(orgId) !== null);
    const unknown = held.filter((orgId) => !there.includes(orgId));
    for (const orgId of there) {
      const isLive = store.size(orgId, "live") !== null;
      const isArchived = tenants.get(orgId)?.state === "archived";
      if (isArchived && isLive) store.move(orgId, "live", "archive");
      tenants.stats(orgId);
    }
    for (const orgId of unknown) store.remove(orgId, "live");
    const missing = tenants
      .list()
      .map(({ orgId }) => orgId)
      .filter((orgId) => !held.includes(orgId));
    return { data: data.path, takenAt, tenants: there.length, missing, unknown };
  } finally {
    system.$client.close();
  }
}

function targetOf(path: string, { name, orgId }: BackupFile): string {
  return orgId === null ? join(path, SYSTEM_FILE) : join(path, TENANTS_FOLDER, name);
}
