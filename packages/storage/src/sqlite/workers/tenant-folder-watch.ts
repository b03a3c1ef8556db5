import { type FSWatcher, lstatSync, watch } from "node:fs";
import { join } from "node:path";

/** The part of a watch that its owner needs. */
export interface TenantFolderWatch {
  close(): void;
}

const WAL = "-wal";

/**
 * Says which database files of a folder were written, by whatever process of this machine: a commit
 * writes the log beside the file, and closing takes the log in. Files are never opened for it.
 *
 * A file that is merely opened gets an empty log; that does not count, or looking at a tenant would be
 * a reason to look at it again.
 *
 * @param onWritten called with the name of the database file, often more than once
 * @param onError called when the folder cannot be watched, or not any longer
 */
export function watchTenantFolder(
  folder: string,
  onWritten: (file: string) => void,
  onError: (error: unknown) => void,
): TenantFolderWatch {
  let watcher: FSWatcher;
  try {
    watcher = watch(folder, { persistent: false }, (event, name) => {
      if (event !== "change" || name === null) return;
      if (name.endsWith(".db")) onWritten(name);
      else if (name.endsWith(`.db${WAL}`) && hasContent(join(folder, name))) {
        onWritten(name.slice(0, -WAL.length));
      }
    });
  } catch (error) {
    // no inotify instances left, or a file system without change events
    onError(error);
    return { close: () => undefined };
  }
  watcher.on("error", onError);
  return { close: () => watcher.close() };
}

function hasContent(path: string): boolean {
  // it may be gone by now; the file itself is written then
  return (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}
