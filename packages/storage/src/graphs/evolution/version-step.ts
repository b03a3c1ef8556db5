import { StorageError } from "../../errors.ts";

/** What a store does next about a graph type, seen from its stored version. */
export type VersionDecision =
  /** The data is what the code expects. */
  | { readonly action: "ready"; readonly version: number }
  /** Write `running`, bring every row from version `from` to `to`, then write `to`. */
  | {
      readonly action: "start";
      readonly from: number;
      readonly running: number;
      readonly to: number;
    }
  /** As `start`, but `running` is written already: rows that carry `to` are done, the others are not. */
  | {
      readonly action: "resume";
      readonly from: number;
      readonly running: number;
      readonly to: number;
    }
  /** The data was written by newer code; refuse to open it. */
  | { readonly action: "code-is-older"; readonly version: number; readonly target: number };

/**
 * Decides from the stored version alone, so that it decides the same after a crash. Even versions are
 * stable; the odd one above means that a migration was begun and not finished. One migration leads all
 * the way to the target, over the versions in between: 2, 3 while it runs, 6.
 *
 * @param stored The version in the row of the graph type.
 * @param target The version the code expects, an even number.
 * @throws StorageError `MIGRATION_STATE` where either is no version.
 */
export function decideVersion(stored: number, target: number): VersionDecision {
  checkVersion("stored", stored);
  checkVersion("target", target);
  if (target % 2 !== 0) {
    throw new StorageError("MIGRATION_STATE", `target version ${target} is odd`, {
      hint: "Odd versions mean that a migration is running; raise versions by two",
    });
  }
  if (stored > target) return { action: "code-is-older", version: stored, target };
  if (stored === target) return { action: "ready", version: stored };
  if (stored % 2 === 0) return { action: "start", from: stored, running: stored + 1, to: target };
  return { action: "resume", from: stored - 1, running: stored, to: target };
}

/** Rows say which version their attributes are of, so that a resumed migration never applies twice. */
const SUBSYSTEM = "_metagraph";

type Metadata = Readonly<Record<string, unknown>>;

/** A row's metadata with the version its attributes were migrated to. */
export function stampVersion(metadata: Metadata, version: number): Metadata {
  return { ...metadata, [SUBSYSTEM]: { ...subsystem(metadata), version } };
}

/**
 * The version a row's attributes are of: its stamp, or the version the migration started from, which
 * rows have that were written since the last one.
 */
export function rowVersion(metadata: Metadata, from: number): number {
  const { version } = subsystem(metadata);
  return typeof version === "number" && version > from ? version : from;
}

function subsystem(metadata: Metadata): Metadata {
  const value = metadata[SUBSYSTEM];
  return typeof value === "object" && value !== null ? (value as Metadata) : {};
}

function checkVersion(name: string, version: number): void {
  if (Number.isSafeInteger(version) && version >= 0) return;
  throw new StorageError(
    "MIGRATION_STATE",
    `${name} version ${version} is not a whole number from 0`,
  );
}
