/** What a database file is for. A file keeps its kind for life. */
export type DatabaseKind = "system" | "tenant";

/** One step of a database's schema. A released one is never edited; changes get a new version. */
export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  /** What the step does, kebab-case; recorded beside the version. */
  readonly name: string;
  /** Run in order, all in one transaction. */
  readonly statements: readonly string[];
  /**
   * Whether all but what the step brings works on a file that does not have it yet, so that such a file
   * can be served until it is migrated. Default false.
   */
  readonly deferrable?: true;
}
