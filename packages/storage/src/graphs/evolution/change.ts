import type { TSchema } from "@sinclair/typebox";

/** What a change of a schema means for data that was written under the old one. */
export type ChangeKind =
  /** Nothing changed. */
  | "none"
  /** Everything that was valid stays valid. */
  | "additive"
  /** Something that was valid may not be any more. */
  | "breaking";

/** One difference between two schemas and what it means. */
export interface SchemaChange {
  readonly kind: "additive" | "breaking";
  /** What happened, for code: `property-added`. */
  readonly rule: string;
  /** Where in the data, as a JSON pointer; `*` stands for every item or every other property. */
  readonly path: string;
  /** What happened, for people. */
  readonly message: string;
  /**
   * True for an additive change that holds only if the stored data agrees: a property that is new to the
   * schema of an open object may already be in the data, with any value.
   */
  readonly dependsOnData?: boolean;
}

/** The kind of several changes together. */
export function worstOf(changes: Iterable<{ readonly kind: ChangeKind }>): ChangeKind {
  let worst: ChangeKind = "none";
  for (const { kind } of changes) {
    if (kind === "breaking") return "breaking";
    if (kind === "additive") worst = "additive";
  }
  return worst;
}

/** Compares the schemas of one place in the data. */
export type Compare = (old: TSchema, now: TSchema, path: string) => readonly SchemaChange[];

/** True where data valid under the old schema is valid under the new one, whatever else is stored. */
export function isSafe(changes: readonly SchemaChange[]): boolean {
  return changes.every(({ kind, dependsOnData = false }) => kind === "additive" && !dependsOnData);
}
