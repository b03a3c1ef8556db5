import { open as openFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { HonkerError } from "../errors.ts";
import { openBetterSqlite3 } from "../sqlite/better-sqlite3-connection.ts";

/** Files that SQLite keeps beside a database; a stale one would be applied to the file beside it. */
const COMPANIONS = ["-wal", "-shm", "-journal"] as const;

/** A temporary name beside `destination`; names of this pattern are never databases in use. */
export function partialName(destination: string): string {
  const unique = `${process.pid}-${Math.random().toString(36).slice(2, 10)}`;
  return join(dirname(destination), `.${basename(destination)}.${unique}.partial`);
}

/** Whether `name` is what {@link partialName} gives for `destination`. */
export function isPartialName(name: string, destination: string): boolean {
  return (
    name.startsWith(`.${basename(destination)}.`) && /\.partial(-journal|-wal|-shm)?$/.test(name)
  );
}

/**
 * Refuses a destination that must not be written.
 *
 * @throws `CANNOT_OPEN` when its folder is missing, `FILE_EXISTS`
 */
export async function requireFree(destination: string, overwrite: boolean): Promise<void> {
  const folder = await statOrNull(dirname(destination));
  if (folder === null || !folder.isDirectory()) {
    throw new HonkerError(
      "CANNOT_OPEN",
      `cannot write "${destination}": its folder does not exist`,
      {
        hint: "Create the folder first",
        details: { path: destination },
      },
    );
  }
  const existing = await statOrNull(destination);
  if (existing?.isDirectory()) {
    throw new HonkerError("FILE_EXISTS", `cannot write "${destination}": it is a folder`, {
      hint: "Give the path of a file in it",
      details: { path: destination },
    });
  }
  if (overwrite) return;
  for (const path of [destination, ...COMPANIONS.map((suffix) => destination + suffix)]) {
    if ((await statOrNull(path)) === null) continue;
    throw new HonkerError("FILE_EXISTS", `cannot write "${destination}": "${path}" exists`, {
      hint: "Choose another name, or pass overwrite: true to replace a database that nobody has open",
      details: { path },
    });
  }
}

/**
 * Gives the finished file `temporary` its name. A database that is there already is replaced only when
 * no connection, of this process or another, has it open.
 *
 * @throws `OPEN_CONFLICT`
 */
export async function moveIntoPlace(temporary: string, destination: string): Promise<void> {
  if ((await statOrNull(destination)) !== null) requireUnused(destination);
  for (const suffix of COMPANIONS) await rm(destination + suffix, { force: true });
  await rename(temporary, destination);
  await syncFolder(dirname(destination));
}

/** Removes `temporary` and what SQLite may have left beside it. */
export async function removePartial(temporary: string): Promise<void> {
  for (const path of [temporary, ...COMPANIONS.map((suffix) => temporary + suffix)]) {
    await rm(path, { force: true });
  }
}

export async function statOrNull(path: string): Promise<Awaited<ReturnType<typeof stat>> | null> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new HonkerError("CANNOT_OPEN", `cannot look at "${path}": ${(error as Error).message}`, {
      cause: error,
      details: { path },
    });
  }
}

/** Only the last connection of a file may end write-ahead logging, so being able to proves it unused. */
function requireUnused(path: string): void {
  try {
    const connection = openBetterSqlite3(path, { busyTimeoutMs: 0, statementCacheSize: 4 });
    try {
      connection.prepare("PRAGMA journal_mode = DELETE").row([]);
    } finally {
      connection.close();
    }
  } catch (error) {
    // what is no database can have no connection
    if (error instanceof HonkerError && error.code === "NOT_A_DATABASE") return;
    throw new HonkerError(
      "OPEN_CONFLICT",
      `cannot replace "${path}": it is open, here or in another process`,
      {
        cause: error,
        hint: "Close it everywhere first",
        details: { path },
      },
    );
  }
}

/** Makes the new name survive a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await openFile(path, "r");
  try {
    await folder.sync();
  } catch (error) {
    // some file systems and Windows cannot flush a folder
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EINVAL" && code !== "EPERM" && code !== "EISDIR") throw error;
  } finally {
    await folder.close();
  }
}
