import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { StorageError } from "../../errors.ts";
import { requirePath } from "./checks.ts";
import type { TenantPlace, TenantStore } from "./tenant-store.ts";

const ARCHIVE = "archive";
const TEMPORARY = "tmp";
/** Files that SQLite keeps beside a database; removed after it, so that none is left for a new one. */
const COMPANIONS = ["-wal", "-shm", "-journal"] as const;

/**
 * Tenant files in one folder of this machine: `tenant-{orgId}.db`, those put away in `archive/`, those
 * being made in `tmp/`. All three must be on one file system.
 *
 * @example
 * ```ts
 * const store = localTenantStore("./data/tenants");
 * store.path("acme", "live"); // "/srv/app/data/tenants/tenant-acme.db"
 * ```
 */
export function localTenantStore(folder: string): TenantStore {
  return new LocalTenantStore(folder);
}

class LocalTenantStore implements TenantStore {
  readonly #folders: Readonly<Record<TenantPlace, string>>;
  readonly #temporary: string;

  constructor(folder: string) {
    requirePath(folder, "the folder of the tenant files");
    const live = resolve(folder);
    this.#folders = { live, archive: join(live, ARCHIVE) };
    this.#temporary = join(live, TEMPORARY);
  }

  prepare(): void {
    for (const path of [this.#folders.live, this.#folders.archive, this.#temporary]) {
      mkdirSync(path, { recursive: true });
    }
  }

  ownerElsewhere(): null {
    return null;
  }

  fileName(orgId: string): string {
    return `tenant-${orgId}.db`;
  }

  path(orgId: string, place: TenantPlace): string {
    return join(this.#folders[place], this.fileName(orgId));
  }

  size(orgId: string, place: TenantPlace): number | null {
    const path = this.path(orgId, place);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return null;
    if (found.isFile()) return found.size;
    const kind = found.isSymbolicLink() ? "a symbolic link" : "not a file";
    throw new StorageError("TENANT_FILE", `"${path}" of tenant "${orgId}" is ${kind}`, {
      hint: "Put the file itself there: it must stay inside its folder",
      details: { orgId, path },
    });
  }

  temporaryPath(operationId: string): string {
    return join(this.#temporary, `${operationId}.db`);
  }

  publish(operationId: string, orgId: string): void {
    this.#rename(this.temporaryPath(operationId), this.path(orgId, "live"));
  }

  move(orgId: string, from: TenantPlace, to: TenantPlace): void {
    const path = this.path(orgId, from);
    this.#rename(path, this.path(orgId, to));
    syncFolder(dirname(path));
  }

  remove(orgId: string, place: TenantPlace): void {
    const path = this.path(orgId, place);
    for (const suffix of ["", ...COMPANIONS]) rmSync(path + suffix, { force: true });
    syncFolder(dirname(path));
  }

  discard(operationId: string): void {
    for (const name of readdirSync(this.#temporary)) {
      if (name.includes(operationId)) rmSync(join(this.#temporary, name), { force: true });
    }
  }

  temporaries(): readonly string[] {
    // also what a backup, which has a hidden name of its own, left beside one
    const ids = readdirSync(this.#temporary).map((name) => /^\.*([^.]+)\.db/.exec(name)?.[1]);
    return [...new Set(ids.filter((id) => id !== undefined))];
  }

  /** Whoever calls holds the write lock of `system.db`, so nothing can get in between. */
  #rename(from: string, to: string): void {
    if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) {
      throw new StorageError("TENANT_FILE", `cannot write "${to}": it is there already`, {
        hint: "Move it away; if it holds a tenant's data, bring it back with importFrom()",
        details: { path: to },
      });
    }
    renameSync(from, to);
    syncFolder(dirname(to));
  }
}

/** Makes new names in a folder survive a power cut. */
export function syncFolder(path: string): void {
  try {
    syncFile(path, "r");
  } catch (error) {
    // some file systems and Windows cannot flush a folder
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EINVAL" && code !== "EPERM" && code !== "EISDIR") throw error;
  }
}

/** Flushes a file that nobody in this process has open as a database. */
export function syncFile(path: string, flags: "r" | "r+"): void {
  const file = openSync(path, flags);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
