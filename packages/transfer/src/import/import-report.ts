import type { JsonNotes } from "./values.ts";

/** One table of the source. */
export interface ImportedTable {
  readonly table: string;
  /** Rows that the table has, counted by PostgreSQL; null for a second look at a table. */
  readonly rows: number | null;
  /** Rows that were read. */
  readonly read: number;
  readonly taken: number;
  readonly rejected: number;
  /** Changes to taken rows, each with its line in the report of rows. */
  readonly changed: number;
  /** Checksum of the rows as they were read, and as PostgreSQL computes it. */
  readonly checksum: { readonly read: string; readonly source: string };
  /** Every row is accounted for, and read as it is in the source. */
  readonly verified: boolean;
}

/** One table of the files that were written. */
export interface WrittenTable {
  readonly table: string;
  readonly written: number;
  /** Rows found when all files were read back. */
  readonly found: number;
  readonly checksum: { readonly written: string; readonly found: string };
  /** What was found is what was written. */
  readonly verified: boolean;
}

/** What an import did. JSON. */
export interface ImportReport {
  /** Whether everything is verified. Rejected rows do not make it false: look at `rejected`. */
  readonly ok: boolean;
  readonly dryRun: boolean;
  /** What was read: without the password. */
  readonly source: { readonly url: string; readonly schema: string };
  readonly out: { readonly systemPath: string; readonly tenantsFolder: string };
  readonly startedAt: string;
  readonly finishedAt: string;
  /**
   * Moments of the source that were read: 1, and one more for each time the import went on after it was
   * ended. With more than one, `verified` also says that the source did not change between them.
   */
  readonly snapshots: number;
  readonly organizations: number;
  readonly tenants: number;
  /** Rows of the source tables in all. */
  readonly rows: { readonly read: number; readonly taken: number; readonly rejected: number };
  readonly source_tables: readonly ImportedTable[];
  readonly written_tables: readonly WrittenTable[];
  /** Tables of the schema that were not read, and how many rows they have. */
  readonly tables_left: readonly { readonly table: string; readonly rows: number }[];
  readonly notes: JsonNotes;
  /** NDJSON, one line for each row that was rejected or changed. */
  readonly rowsPath: string;
  /** What to do about what is not verified. */
  readonly advice: readonly string[];
}
