import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { HonkerError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";

/**
 * Which extension to load. `"auto"`: the published one where there is one, else portable mode.
 * `"require"`: fail without it. `"off"`: portable mode, the same tables without the SQL functions.
 * Any other string: the path of the extension file.
 */
export type ExtensionOption = "auto" | "require" | "off" | (string & {});

/** Environment variable that names the extension file when no path is given in code. */
export const EXTENSION_PATH_VARIABLE = "HONKER_EXTENSION_PATH";

/** Packages that carry the extension, by `process.platform-process.arch`; only published ones. */
const PACKAGES: Readonly<Record<string, { readonly name: string; readonly file: string }>> = {
  "linux-x64": { name: "@russellthehippo/honker-ext-linux-x64-gnu", file: "libhonker_ext.so" },
};

/**
 * SQL functions the engine and its users rely on, as `name/arguments` of extension 0.4.6. More may be
 * there; each of these must be.
 */
const REQUIRED_FUNCTIONS = [
  "honker_bootstrap/0",
  "honker_enqueue/7",
  "honker_claim_batch/4",
  "honker_ack/2",
  "honker_retry/4",
  "honker_fail/3",
  "honker_heartbeat/3",
  "honker_stream_publish/3",
  "honker_stream_read_since/3",
  "honker_stream_save_offset/3",
  "honker_lock_acquire/3",
  "honker_lock_release/2",
  "honker_scheduler_register/7",
  "honker_scheduler_tick/1",
  "honker_rate_limit_try/3",
  "honker_result_save/3",
  "notify/2",
] as const;

/** Where the extension file is, or why there is none. */
export type ExtensionLookup =
  | { readonly file: string; readonly source: "option" | "environment" | "package" }
  | { readonly file: undefined; readonly reason: string; readonly hint: string };

/**
 * Finds the Honker extension: an explicit path, then `HONKER_EXTENSION_PATH`, then the package for
 * this platform. An explicit path that does not exist is an error even in `"auto"`.
 *
 * @throws {@link HonkerError} `EXTENSION_UNAVAILABLE`
 */
export function resolveHonkerExtension(option: ExtensionOption = "auto"): ExtensionLookup {
  if (option === "off") {
    return { file: undefined, reason: 'extension: "off" was asked for', hint: "" };
  }
  if (option !== "auto" && option !== "require") {
    return { file: requireFile(option, "the extension option"), source: "option" };
  }
  const fromEnvironment = process.env[EXTENSION_PATH_VARIABLE];
  if (fromEnvironment !== undefined && fromEnvironment !== "") {
    return { file: requireFile(fromEnvironment, EXTENSION_PATH_VARIABLE), source: "environment" };
  }
  const lookup = resolvePackage();
  if (lookup.file === undefined && option === "require") {
    throw new HonkerError("EXTENSION_UNAVAILABLE", lookup.reason, { hint: lookup.hint });
  }
  return lookup;
}

/**
 * Loads the extension and checks that it is the one this version knows.
 *
 * @returns whether it is loaded; false only where `"auto"` found none that runs here
 * @throws {@link HonkerError} `EXTENSION_UNAVAILABLE` when it cannot be loaded, `UNKNOWN_SCHEMA` when
 * functions are missing, naming them
 */
export function loadHonkerExtension(connection: Connection, option: ExtensionOption): boolean {
  const lookup = resolveHonkerExtension(option);
  if (lookup.file === undefined) return false;
  try {
    connection.loadExtension(lookup.file);
  } catch (error) {
    // the package for glibc can be installed on musl; there it cannot run, and portable mode can
    if (option === "auto" && lookup.source === "package") return false;
    throw new HonkerError(
      "EXTENSION_UNAVAILABLE",
      `"${lookup.file}" could not be loaded as a SQLite extension: ${(error as Error).message}`,
      {
        cause: error,
        hint: 'Check the path and the platform, or open with extension: "off"',
        details: { file: lookup.file, source: lookup.source },
      },
    );
  }
  requireFunctions(connection, lookup.file);
  return true;
}

function requireFile(file: string, source: string): string {
  if (existsSync(file)) return file;
  throw new HonkerError(
    "EXTENSION_UNAVAILABLE",
    `${source} names "${file}", which does not exist`,
    { hint: "Give the path of libhonker_ext.so", details: { file } },
  );
}

function resolvePackage(): ExtensionLookup {
  const platform = `${process.platform}-${process.arch}`;
  const known = PACKAGES[platform];
  if (known === undefined) {
    return {
      file: undefined,
      reason: `no Honker extension is published for ${platform}`,
      hint: 'Open with extension: "auto" for portable mode, or give the path of one you built',
    };
  }
  try {
    const require = createRequire(import.meta.url);
    return { file: require.resolve(`${known.name}/${known.file}`), source: "package" };
  } catch {
    return {
      file: undefined,
      reason: `the Honker extension package "${known.name}" is not installed`,
      hint: `Run: npm install ${known.name}`,
    };
  }
}

function requireFunctions(connection: Connection, file: string): void {
  const found = new Set(
    connection
      .prepare(
        "SELECT name || '/' || narg FROM pragma_function_list WHERE name = 'notify' OR name LIKE 'honker\\_%' ESCAPE '\\'",
      )
      .rows([])
      .map(([signature]) => signature),
  );
  const missing = REQUIRED_FUNCTIONS.filter((signature) => !found.has(signature));
  if (missing.length === 0) return;
  throw new HonkerError(
    "UNKNOWN_SCHEMA",
    `"${file}" is not a Honker extension this version knows: it lacks ${missing.join(", ")}`,
    { hint: "Install version 0.4.6 of the extension", details: { file, missing } },
  );
}
