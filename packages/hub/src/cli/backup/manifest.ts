import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { TenantState } from "@alkdev/storage/sqlite";
import { HubError } from "../../errors.ts";

/** Name of the list of a backup's files. It is written last: a folder without it is no backup. */
const MANIFEST_FILE = "backup.json";

/** One file of a backup. */
export interface BackupFile {
  /** Inside the backup's folder. */
  readonly name: string;
  readonly bytes: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
  /** The organisation whose tenant it holds; null for `system.db`. */
  readonly orgId: string | null;
}

/** A tenant that is not in the backup. */
export interface LeftOut {
  readonly orgId: string;
  readonly state: TenantState;
  readonly reason: string;
}

/** What a backup's folder holds. */
export interface Manifest {
  readonly format: 1;
  readonly takenAt: string;
  readonly files: readonly BackupFile[];
  readonly leftOut: readonly LeftOut[];
}

/** Writes the list, which makes the folder a backup. */
export function writeManifest(folder: string, manifest: Manifest): void {
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  writeFileSync(join(folder, MANIFEST_FILE), text, { flag: "wx", flush: true });
}

/** The list of a backup's folder. @throws HubError `NOT_FOUND`, `INVALID_ARGUMENT` */
export function readManifest(folder: string): Manifest {
  const path = join(folder, MANIFEST_FILE);
  if (!existsSync(path)) {
    throw new HubError(
      "NOT_FOUND",
      `"${folder}" is no finished backup: it has no ${MANIFEST_FILE}`,
      {
        details: { folder },
      },
    );
  }
  const manifest = parsed(readFileSync(path, "utf8"));
  if (isManifest(manifest)) return manifest;
  throw new HubError("INVALID_ARGUMENT", `"${path}" is not the list of a backup of this version`, {
    details: { path },
  });
}

/** SHA-256 of a file that nobody has open as a database. */
export async function sha256Of(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest("hex");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Names stay inside the folder, whatever somebody has written there. */
function isManifest(value: unknown): value is Manifest {
  const { format, files } = (value ?? {}) as Partial<Manifest>;
  if (format !== 1 || !Array.isArray(files)) return false;
  return (files as readonly BackupFile[]).every(
    ({ name, sha256, orgId }) =>
      /^[A-Za-z0-9_-]{1,80}\.db$/.test(name) &&
      /^[0-9a-f]{64}$/.test(sha256) &&
      (orgId === null || name === `tenant-${orgId}.db`),
  );
}
