import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { StorageError } from "../../errors.ts";
import { syncFile, syncFolder } from "../tenants/local-tenant-store.ts";
import { uuidV7 } from "../uuid-v7.ts";
import type { TenantBackup } from "./tenant-backup.ts";

/** What stands in the file beside a copy. */
type Manifest = Omit<TenantBackup, "id" | "path" | "takenAt"> & { readonly takenAt: string };

/** Where copies are restored to be looked at; no organisation has such an id. */
const SCRATCH = ".verify";
/** What a killed process left is removed after so long. */
const ABANDONED_AFTER_MS = 3_600_000;

/**
 * Backups as files: `{orgId}/{time}.db` with `{time}.json` beside it, which is written last. A copy without
 * it is no backup. Nothing else knows of them, so they can be found where all else is lost.
 */
export class BackupFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /** Makes the place of a backup that is taken at `at`. */
  prepare(orgId: string, at: Date): { readonly id: string; readonly path: string } {
    mkdirSync(join(this.path, orgId), { recursive: true });
    const id = `${orgId}/${at.toISOString().replaceAll(":", "-")}`;
    return { id, path: this.#copy(id) };
  }

  /** Makes a copy a backup. */
  publish(backup: TenantBackup): void {
    const { id, path: _, ...rest } = backup;
    const manifest: Manifest = { ...rest, takenAt: rest.takenAt.toISOString() };
    const target = this.#manifest(id);
    const partial = `${target}.partial`;
    writeFileSync(partial, `${JSON.stringify(manifest, undefined, 2)}\n`);
    syncFile(partial, "r+");
    renameSync(partial, target);
    syncFolder(dirname(target));
  }

  /** Backups of an organisation, or of all, oldest first of each. */
  list(orgId?: string): TenantBackup[] {
    const orgs = orgId === undefined ? foldersIn(this.path) : [orgId];
    return orgs.filter((org) => org !== SCRATCH).flatMap((org) => this.#listOf(org));
  }

  /** @throws {@link StorageError} `NOT_FOUND`, `INVALID_ARGUMENT` */
  get(id: string): TenantBackup {
    if (!/^[\w-]{1,64}\/[\w.-]+$/.test(id) || id.includes("..")) {
      throw new StorageError("INVALID_ARGUMENT", `"${id}" is no id of a backup`, {
        hint: "It is as list() gives it",
      });
    }
    if (existsSync(this.#manifest(id))) return this.#read(id);
    throw new StorageError("NOT_FOUND", `there is no backup "${id}" in "${this.path}"`, {
      details: { id, folder: this.path },
    });
  }

  remove(id: string): void {
    // in this order: what is left by a kill is no backup, rather than one without a copy
    rmSync(this.#manifest(id), { force: true });
    rmSync(this.#copy(id), { force: true });
  }

  /** Removes what killed processes left of an organisation's copies. */
  removeAbandoned(orgId: string): void {
    const folder = join(this.path, orgId);
    for (const name of filesIn(folder)) {
      const isBackup =
        name.endsWith(".json") ||
        (name.endsWith(".db") && existsSync(join(folder, `${name.slice(0, -3)}.json`)));
      if (!isBackup && isAbandoned(join(folder, name))) rmSync(join(folder, name), { force: true });
    }
  }

  /** A path to restore a copy to, to be looked at. */
  scratch(): string {
    const folder = join(this.path, SCRATCH);
    mkdirSync(folder, { recursive: true });
    for (const name of filesIn(folder)) {
      if (isAbandoned(join(folder, name))) rmSync(join(folder, name), { force: true });
    }
    return join(folder, `${uuidV7()}.db`);
  }

  #listOf(orgId: string): TenantBackup[] {
    return filesIn(join(this.path, orgId))
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map((name) => this.#read(`${orgId}/${name.slice(0, -".json".length)}`));
  }

  #read(id: string): TenantBackup {
    const path = this.#manifest(id);
    try {
      const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
      return { ...manifest, id, path: this.#copy(id), takenAt: new Date(manifest.takenAt) };
    } catch (error) {
      throw new StorageError("TENANT_FILE", `"${path}" of backup "${id}" cannot be read`, {
        cause: error,
        hint: "The copy beside it may be whole: importFrom() takes it",
        details: { id, path },
      });
    }
  }

  #copy(id: string): string {
    return join(this.path, `${id}.db`);
  }

  #manifest(id: string): string {
    return join(this.path, `${id}.json`);
  }
}

function foldersIn(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

function filesIn(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

function isAbandoned(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS;
}
