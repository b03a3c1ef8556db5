import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { StorageError } from "@alkdev/storage";
import type { Tenant } from "@alkdev/storage/sqlite";
import { HubError } from "../../errors.ts";
import { SYSTEM_FILE } from "../data-folder.ts";
import type { DataRun } from "../shell.ts";
import { type BackupFile, type LeftOut, type Manifest, writeManifest } from "./manifest.ts";

/** States in which a tenant's file is whole and in its place. */
const COPIED: readonly string[] = ["active", "suspended", "archived"];

/**
 * Writes `system.db` and every tenant into a new folder while they are in use. Each file is of one moment and
 * verified; the list of them comes last.
 *
 * @throws HubError `ALREADY_EXISTS` for a folder with something in it; what a copy throws
 */
export async function takeBackup(run: DataRun, destination: string): Promise<Manifest> {
  const { data, signal, progress } = run;
  const { tenants } = data;
  const folder = emptyFolder(destination);
  const takenAt = new Date().toISOString();
  const files = [await copySystem(run, folder)];
  // after the copy, so that no tenant that it knows is missed; restore leaves out what it does not know
  const all = tenants.list();
  const leftOut: LeftOut[] = [];
  for (const [at, tenant] of all.entries()) {
    progress.update({ label: `tenant ${at + 1} of ${all.length}`, done: at, total: all.length });
    const copied = await copyTenant(run, tenant, folder);
    if ("name" in copied) files.push(copied);
    else leftOut.push(copied);
    signal.throwIfAborted();
  }
  progress.clear();
  const manifest: Manifest = { format: 1, takenAt, files, leftOut };
  writeManifest(folder, manifest);
  return manifest;
}

async function copySystem(
  { data, signal, progress }: DataRun,
  folder: string,
): Promise<BackupFile> {
  const { bytes, sha256 } = await data.system.$client.backup(join(folder, SYSTEM_FILE), {
    signal,
    onProgress: ({ totalPages, remainingPages }) =>
      progress.update({
        label: SYSTEM_FILE,
        done: totalPages - remainingPages,
        total: totalPages,
      }),
  });
  return { name: SYSTEM_FILE, bytes, sha256, orgId: null };
}

/** A tenant that somebody is moving or removing meanwhile is left out, and said to be. */
async function copyTenant(
  { data, signal }: DataRun,
  { orgId, state }: Tenant,
  folder: string,
): Promise<BackupFile | LeftOut> {
  if (!COPIED.includes(state)) return { orgId, state, reason: `it is ${state}` };
  const name = `tenant-${orgId}.db`;
  try {
    const { bytes, sha256 } = await data.tenants.exportTo(orgId, join(folder, name), { signal });
    return { name, bytes, sha256, orgId };
  } catch (error) {
    if (signal.aborted || !(error instanceof StorageError)) throw error;
    return { orgId, state, reason: error.message };
  }
}

function emptyFolder(destination: string): string {
  const folder = resolve(destination);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new HubError("ALREADY_EXISTS", `"${folder}" is not empty`, {
      hint: "Give a new folder for each backup",
      details: { folder },
    });
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
