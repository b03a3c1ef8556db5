import { createHash, type Hash } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type FileHandle, open as openFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type Database, open } from "@alkdev/honker";
import { type ExportedTable, exportTables } from "@alkdev/storage/sqlite";
import { TransferError } from "../errors.ts";
import { requireText } from "../import/import-options.ts";
import type { TransferOptions } from "../progress.ts";

/** Options of `exportDatabase()`. Give `db` or `path`. */
export interface ExportDatabaseOptions extends TransferOptions {
  /** An open database: `system.db`, a tenant's, or one of the engine alone. You keep it. */
  readonly db?: Database;
  /** Or the path of one; another process may have it open. */
  readonly path?: string;
  /** The folder that is made. It must not be there. */
  readonly out: string;
  /** Names of the tables to export, default all. */
  readonly tables?: readonly string[];
}

/** One exported table. */
export interface ExportedFile {
  readonly table: string;
  /** Name of the file in the folder, one JSON object per line. */
  readonly file: string;
  /** Name of the file with the JSON Schema of one line. */
  readonly schema: string;
  readonly rows: number;
  readonly bytes: number;
  /** Of the file. */
  readonly sha256: string;
}

/** What an export holds; the file `manifest.json` of its folder. JSON. */
export interface ExportManifest {
  readonly format: 1;
  readonly exportedAt: string;
  /** Name of the database file. */
  readonly source: string;
  readonly tables: readonly ExportedFile[];
  /** Tables that were not exported, and why. */
  readonly left: readonly { readonly table: string; readonly reason: string }[];
}

/**
 * Writes everything that a database file holds, as it is at one moment, as NDJSON with a JSON Schema per
 * table: rows, streams, jobs, dead letters, schedules. The file stays in use meanwhile; what is read is a
 * copy of it, which takes its size once more on the disk of `out`.
 *
 * The folder gets its name when it is complete.
 *
 * @throws {@link TransferError} `INVALID_ARGUMENT`, `OUT_IN_USE`; the reason of `signal`; `HonkerError`
 * `CANNOT_OPEN`, `NOT_A_DATABASE`, `DISK_FULL`
 * @example
 * ```ts
 * const { tables } = await exportDatabase({ db, out: "./export/acme" });
 * for (const { table, rows } of tables) console.log(table, rows);
 * ```
 */
export async function exportDatabase(options: ExportDatabaseOptions): Promise<ExportManifest> {
  const { db, path, signal } = options;
  const out = resolve(requireText(options.out, "out"));
  if ((db === undefined) === (path === undefined)) {
    throw new TransferError("INVALID_ARGUMENT", "give either db or path");
  }
  requireFree(out);
  const folder = `${out}.part`;
  // left by an export that was killed
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const copy = join(folder, "copy.db");
    const source = await copyTo(copy, { db, path, signal });
    const manifest = await exportCopy(copy, { ...options, folder, source });
    for (const name of readdirSync(folder)) {
      if (name.startsWith("copy.db")) rmSync(join(folder, name));
    }
    requireFree(out);
    renameSync(folder, out);
    return manifest;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** @returns the name of the source */
async function copyTo(
  copy: string,
  {
    db,
    path,
    signal,
  }: {
    readonly db: Database | undefined;
    readonly path: string | undefined;
    readonly signal: AbortSignal | undefined;
  },
): Promise<string> {
  const backup = async (from: Database): Promise<string> => {
    await from.backup(copy, signal === undefined ? {} : { signal });
    return basename(from.path);
  };
  if (db !== undefined) return backup(db);
  requireFile(path as string);
  using opened = open(path as string);
  return await backup(opened);
}

async function exportCopy(
  copy: string,
  options: ExportDatabaseOptions & { readonly folder: string; readonly source: string },
): Promise<ExportManifest> {
  const { folder, source, tables: wanted } = options;
  using client = open(copy);
  const { tables, left } = exportTables(client);
  const unknown = wanted?.find((name) => !tables.some((table) => table.name === name));
  if (unknown !== undefined) {
    throw new TransferError("INVALID_ARGUMENT", `there is no table "${unknown}" to export`, {
      hint: `There are ${tables.map(({ name }) => name).join(", ")}`,
    });
  }
  const exported: ExportedFile[] = [];
  for (const table of tables) {
    if (wanted !== undefined && !wanted.includes(table.name)) continue;
    exported.push(await exportTable(table, folder, options));
  }
  const others = wanted === undefined ? [] : tables.filter(({ name }) => !wanted.includes(name));
  const manifest: ExportManifest = {
    format: 1,
    exportedAt: new Date().toISOString(),
    source,
    tables: exported,
    left: [...left, ...others.map(({ name }) => ({ table: name, reason: "not asked for" }))],
  };
  writeFileSync(join(folder, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Characters that are written at once. */
const CHUNK = 1 << 18;

async function exportTable(
  table: ExportedTable,
  folder: string,
  { signal, onProgress }: TransferOptions,
): Promise<ExportedFile> {
  const { name } = table;
  const file = `${name}.ndjson`;
  const schema = `${name}.schema.json`;
  const draft = { $schema: "https://json-schema.org/draft/2020-12/schema", title: name };
  writeFileSync(
    join(folder, schema),
    `${JSON.stringify({ ...draft, ...table.schema }, null, 2)}\n`,
  );
  // rows may hold what only the owner of the data may read
  const handle = await openFile(join(folder, file), "wx", 0o600);
  try {
    const writer = new LineWriter(handle);
    let rows = 0;
    let chunk = "";
    for (const line of table.rows()) {
      rows += 1;
      chunk += `${line}\n`;
      if (chunk.length < CHUNK) continue;
      await writer.write(chunk);
      chunk = "";
      signal?.throwIfAborted();
      onProgress?.({ phase: "export", item: name, done: rows, total: null });
    }
    await writer.write(chunk);
    await handle.sync();
    onProgress?.({ phase: "export", item: name, done: rows, total: rows });
    return { table: name, file, schema, rows, ...writer.result() };
  } finally {
    await handle.close();
  }
}

class LineWriter {
  readonly #handle: FileHandle;
  readonly #hash: Hash = createHash("sha256");
  #bytes = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#handle.writeFile(bytes);
  }

  result(): { readonly bytes: number; readonly sha256: string } {
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }
}

function requireFree(out: string): void {
  try {
    readdirSync(out);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
  }
  throw new TransferError("OUT_IN_USE", `"${out}" is there already`, {
    hint: "Give the name of a folder that is not",
    details: { out },
  });
}

/** Opening a path that is not there would make a new database of it. */
function requireFile(path: string): void {
  const folder = dirname(resolve(path));
  let names: string[] = [];
  try {
    names = readdirSync(folder);
  } catch {
    // no folder, no file
  }
  if (names.includes(basename(path))) return;
  throw new TransferError("INVALID_ARGUMENT", `there is no file "${path}"`, { details: { path } });
}
