import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { asObject, entriesOfNestedDependencies, entriesOfPackages } from "./entries.ts";
import { LockFileError, type PackageGraph } from "./package-graph.ts";
import { resolveEntries } from "./resolve.ts";

/** A lock file as it was read. */
export interface LockFile {
  /** Absolute path. */
  readonly path: string;
  /** SHA-256 of the content: the same hash is the same graph. */
  readonly hash: string;
  /** The parsed JSON, for those who want to count for themselves. */
  readonly json: unknown;
  readonly graph: PackageGraph;
}

/**
 * Reads a package-lock.json (or npm-shrinkwrap.json) of version 1, 2 or 3.
 *
 * @throws {@link LockFileError}
 */
export function readLockFile(path: string): LockFile {
  const absolute = resolve(path);
  const text = readText(absolute);
  const json = parse(absolute, text);
  try {
    const graph = toGraph(json, basename(dirname(absolute)));
    return { path: absolute, hash: createHash("sha256").update(text).digest("hex"), json, graph };
  } catch (error) {
    if (!(error instanceof LockFileError)) throw error;
    throw new LockFileError(`"${absolute}" is not a package-lock.json: ${error.message}`);
  }
}

function readText(path: string): string {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) {
      throw new LockFileError(
        `"${path}" is a directory; give the path of a package-lock.json in it`,
      );
    }
    // a pipe or device might never end
    if (!stats.isFile()) throw new LockFileError(`"${path}" is not a regular file`);
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    if (error instanceof LockFileError) throw error;
    const reason = (error as NodeJS.ErrnoException).code;
    if (reason === "ENOENT" || reason === "ENOTDIR") {
      throw new LockFileError(`there is no file "${path}"; give the path of a package-lock.json`);
    }
    if (reason === "EACCES") throw new LockFileError(`"${path}" may not be read by this user`);
    throw new LockFileError(`"${path}" cannot be read: ${(error as Error).message}`);
  }
}

function parse(path: string, text: string): unknown {
  if (text.trim() === "")
    throw new LockFileError(`"${path}" is empty; run npm install to write it anew`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new LockFileError(`"${path}" is not JSON: ${(error as Error).message}`);
  }
}

function toGraph(json: unknown, folderName: string): PackageGraph {
  const root = asObject(json, "the file");
  const { lockfileVersion, name } = root;
  if (lockfileVersion === undefined) throw new LockFileError('it has no "lockfileVersion"');
  if (lockfileVersion !== 1 && lockfileVersion !== 2 && lockfileVersion !== 3) {
    throw new LockFileError(
      `"lockfileVersion" is ${JSON.stringify(lockfileVersion)}; 1, 2 and 3 are known`,
    );
  }
  const entries =
    lockfileVersion === 1 ? entriesOfNestedDependencies(root) : entriesOfPackages(root["packages"]);
  if (entries.size === 0) throw new LockFileError('its "packages" lists nothing');
  return resolveEntries(entries, {
    name: typeof name === "string" && name !== "" ? name : folderName,
    lockfileVersion,
  });
}
