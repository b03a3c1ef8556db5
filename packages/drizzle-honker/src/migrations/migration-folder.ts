import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DrizzleHonkerError } from "../errors.ts";

/** One migration of a drizzle-kit folder. */
export interface Migration {
  /** Name of its file, without `.sql`. */
  readonly tag: string;
  /** When it was generated, in milliseconds since 1970; what orders migrations. */
  readonly when: number;
  /** SHA-256 of the file, as Drizzle records it. */
  readonly hash: string;
  readonly statements: readonly string[];
}

interface Journal {
  readonly entries: readonly { readonly tag: string; readonly when: number }[];
}

const BREAKPOINT = "--> statement-breakpoint";

/**
 * Reads a folder that `drizzle-kit generate` wrote: `meta/_journal.json` and one SQL file per entry.
 *
 * @throws `MIGRATION_FOLDER`
 */
export function readMigrations(folder: string): Migration[] {
  const migrations = readJournal(folder).entries.map(({ tag, when }) => {
    const file = join(folder, `${tag}.sql`);
    if (!existsSync(file)) {
      throw folderError(folder, `its journal names "${tag}.sql", which is missing`);
    }
    const text = readFileSync(file, "utf8");
    const hash = createHash("sha256").update(text).digest("hex");
    const statements = text.split(BREAKPOINT).filter((statement) => !isBlank(statement));
    return { tag, when, hash, statements };
  });
  return migrations.sort((a, b) => a.when - b.when);
}

function readJournal(folder: string): Journal {
  const file = join(folder, "meta", "_journal.json");
  let journal: unknown;
  try {
    journal = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw folderError(folder, 'it has no readable "meta/_journal.json"', error);
  }
  if (!isJournal(journal)) throw folderError(folder, "its journal has another format");
  return journal;
}

function isJournal(value: unknown): value is Journal {
  const entries = (value as Partial<Journal> | null)?.entries;
  return (
    Array.isArray(entries) &&
    entries.every((entry) => typeof entry?.tag === "string" && typeof entry?.when === "number")
  );
}

/** Whether nothing is left of a statement without its comments, as in an empty custom migration. */
function isBlank(statement: string): boolean {
  return withoutComments(statement).trim() === "";
}

/** SQL without comments; strings that look like comments are kept. */
export function withoutComments(sql: string): string {
  return sql.replace(
    /('(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`)|--[^\n]*|\/\*[\s\S]*?\*\//g,
    (_match, text: string | undefined) => text ?? " ",
  );
}

function folderError(folder: string, reason: string, cause?: unknown): DrizzleHonkerError {
  return new DrizzleHonkerError("MIGRATION_FOLDER", `cannot migrate from "${folder}": ${reason}`, {
    hint: "Generate the folder with drizzle-kit generate",
    details: { folder },
    cause,
  });
}
