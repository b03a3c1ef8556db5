import { createHash } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import { type Database, open, restoreBackup } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { fileError, readOwner } from "../tenants/tenant-file.ts";

/** A copy to be looked at. */
export interface Copy {
  readonly orgId: string;
  readonly path: string;
  /** SHA-256 that the file must have. */
  readonly sha256: string;
}

const TABLES = `SELECT name FROM pragma_table_list
  WHERE schema = 'main' AND type IN ('table', 'shadow') AND name <> 'sqlite_schema' ORDER BY name`;

/**
 * Restores a copy to `scratch`, opens it as a database, checks all of it, and counts its rows. Nothing is
 * left at `scratch`.
 *
 * @throws {@link StorageError} `TENANT_FILE` when it is changed, damaged or another organisation's
 */
export async function lookAtCopy(
  copy: Copy,
  scratch: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, number>>> {
  const { orgId, path } = copy;
  await requireUnchanged(copy);
  try {
    await restoreBackup(path, scratch, { signal });
    using client = open(scratch);
    const owner = readOwner(client);
    if (owner !== orgId) throw unusable(copy, `it belongs to ${owner ?? "no organisation"}`);
    const { ok, problems, foreignKeyViolations } = await client.integrityCheck({
      limit: 3,
      signal,
    });
    const orphans = foreignKeyViolations.map(({ table, parent }) => `${table} without ${parent}`);
    if (!ok) throw unusable(copy, [...problems, ...orphans].join("; "));
    return countRows(client);
  } catch (error) {
    throw fileError(error, orgId, path);
  } finally {
    for (const suffix of ["", "-wal", "-shm", "-journal"])
      rmSync(scratch + suffix, { force: true });
  }
}

/** @throws {@link StorageError} `TENANT_FILE` when the file is missing, or not the one that was written */
export async function requireUnchanged(copy: Copy): Promise<void> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(copy.path, { highWaterMark: 1 << 20 })) {
      hash.update(chunk as Buffer);
    }
  } catch (error) {
    throw unusable(copy, error instanceof Error ? error.message : String(error), error);
  }
  const found = hash.digest("hex");
  if (found !== copy.sha256) throw unusable(copy, `its SHA-256 is ${found}, not ${copy.sha256}`);
}

function countRows(client: Database): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [name] of client.rows(TABLES)) {
    const table = String(name).replaceAll('"', '""');
    counts[String(name)] = Number(client.rows(`SELECT count(*) FROM "${table}"`)[0]?.[0]);
  }
  return counts;
}

function unusable({ orgId, path }: Copy, reason: string, cause?: unknown): StorageError {
  return new StorageError(
    "TENANT_FILE",
    `the backup "${path}" of tenant "${orgId}" cannot be used: ${reason}`,
    {
      hint: "Use an older one",
      details: { orgId, path },
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
