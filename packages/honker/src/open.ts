import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Engine } from "./core/engine.ts";
import { requireNumber } from "./core/names.ts";
import { Database } from "./database.ts";
import { HonkerError } from "./errors.ts";
import type { OpenOptions } from "./options.ts";

interface SharedEngine {
  readonly engine: Engine;
  readonly options: OpenOptions;
  handles: number;
}

/** Engines of this process by real path: one connection per process and file. */
const engines = new Map<string, SharedEngine>();

/** Options that two handles of one file must agree on. */
const SHARED_OPTIONS = ["extension", "durability", "busyTimeoutMs", "clock"] as const;

/**
 * Opens a database file, creating it when it does not exist: WAL, foreign keys on, Honker's extension
 * loaded where there is one, the engine's tables created or migrated.
 *
 * A file that is already open in this process is shared: the new handle uses the same connection, sees
 * its open transaction and is closed on its own. Options that would change the connection must then be
 * equal or absent.
 *
 * @param path a file path, or `":memory:"` for a database of this call alone
 * @throws {@link HonkerError} `CANNOT_OPEN`, `NOT_A_DATABASE`, `READ_ONLY`, `UNKNOWN_SCHEMA`,
 * `EXTENSION_UNAVAILABLE`, `OPEN_CONFLICT`, `BUSY`, `INVALID_ARGUMENT`
 * @example
 * ```ts
 * using db = open("./data/app.db");
 * db.notify("hello", { from: "me" });
 * ```
 */
export function open(path: string, options: OpenOptions = {}): Database {
  checkOptions(path, options);
  if (path === ":memory:") {
    const engine = new Engine(path, options);
    return new Database(engine, () => engine.close());
  }
  const file = realPath(path);
  let shared = engines.get(file);
  if (shared === undefined) {
    shared = { engine: new Engine(file, options), options, handles: 0 };
    engines.set(file, shared);
  } else {
    requireSameOptions(file, shared.options, options);
  }
  const { engine } = shared;
  const entry = shared;
  entry.handles += 1;
  return new Database(engine, () => {
    entry.handles -= 1;
    if (entry.handles > 0) return;
    engines.delete(file);
    engine.close();
  });
}

function checkOptions(path: unknown, options: OpenOptions): void {
  if (typeof path !== "string" || path.trim() === "" || path.includes("\0")) {
    throw new HonkerError(
      "INVALID_ARGUMENT",
      `the path of a database must be a non-empty string, got ${typeof path === "string" ? JSON.stringify(path) : typeof path}`,
    );
  }
  if (options.busyTimeoutMs !== undefined) {
    requireNumber(options.busyTimeoutMs, "busyTimeoutMs", {
      min: 0,
      max: 2_147_483_647,
      integer: true,
    });
  }
  if (options.statementCacheSize !== undefined) {
    requireNumber(options.statementCacheSize, "statementCacheSize", { min: 1, integer: true });
  }
  if (options.cacheSizeKiB !== undefined) {
    requireNumber(options.cacheSizeKiB, "cacheSizeKiB", { min: 64, integer: true });
  }
  const { durability } = options;
  if (durability !== undefined && durability !== "normal" && durability !== "full") {
    throw new HonkerError(
      "INVALID_ARGUMENT",
      `durability must be "normal" or "full", got ${JSON.stringify(durability)}`,
    );
  }
}

/** One key per file, also when it is reached through a symbolic link. */
function realPath(path: string): string {
  const absolute = resolve(path);
  const stats = statSync(absolute, { throwIfNoEntry: false });
  if (stats?.isDirectory()) {
    throw new HonkerError("CANNOT_OPEN", `cannot open "${absolute}": it is a directory`, {
      hint: "Give the path of a file in it",
      details: { path: absolute },
    });
  }
  try {
    if (stats !== undefined) return realpathSync(absolute);
    return join(realpathSync(dirname(absolute)), basename(absolute));
  } catch {
    // the folder is missing: opening says so
    return absolute;
  }
}

function requireSameOptions(path: string, first: OpenOptions, second: OpenOptions): void {
  for (const name of SHARED_OPTIONS) {
    if (second[name] === undefined || second[name] === first[name]) continue;
    throw new HonkerError(
      "OPEN_CONFLICT",
      `"${path}" is already open in this process with ${name} ${describe(first[name])}, not ${describe(second[name])}`,
      { hint: "Leave the option out to share the connection, or close the other handle first" },
    );
  }
}

function describe(value: unknown): string {
  return value === undefined
    ? "by default"
    : typeof value === "object"
      ? "of another object"
      : JSON.stringify(value);
}
