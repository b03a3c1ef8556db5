import { dirname, join, resolve } from "node:path";
import { TransferError } from "../errors.ts";
import type { TransferOptions } from "../progress.ts";

/** Options of `importPostgres()`. */
export interface ImportPostgresOptions extends TransferOptions {
  /** Where the hub's database is: `postgres://user:password@host:5432/database`. */
  readonly url: string;
  /** The schema its tables are in, default `public`. */
  readonly schema?: string;
  /** Where the data goes. Files of an import that was ended are gone on with; others are refused. */
  readonly out: {
    /** Path of `system.db`; its folder is made if it is not there. */
    readonly systemPath: string;
    /** The folder of the tenants' files. */
    readonly tenantsFolder: string;
  };
  /**
   * Default false. True: everything is done in a folder beside `systemPath` that is removed at the end,
   * so that the report is that of a real import. It needs the same disk space.
   */
  readonly dryRun?: boolean;
  /** Rows per commit, default 5,000. More is hardly faster; fewer needs less memory for large rows. */
  readonly batchSize?: number;
  /**
   * Id of the organization that gets graphs, sessions and calls that belong to nobody. Default none: they
   * are reported and not taken.
   */
  readonly unownedTo?: string;
  /**
   * Tables without a table here whose rows become nodes of the graph `hub-records`. Default `projects`,
   * `sessions` and `roles`, where the source has them. Rows of tables without an owner go to every
   * tenant and are held in memory.
   */
  readonly tables?: readonly string[];
  /**
   * Seconds, default 30: how long a place stays taken after the process that wrote there was killed.
   * Lower it to go on sooner; not below the longest pause of a busy machine.
   */
  readonly lockSeconds?: number;
  /**
   * Where the report of rows is written, one JSON object per line; default `import-rows.ndjson` beside
   * `systemPath`. It holds rows of the source.
   */
  readonly rowsPath?: string;
}

/** Options with every default filled in. */
export interface ImportSettings extends TransferOptions {
  readonly url: string;
  readonly schema: string;
  readonly systemPath: string;
  readonly tenantsFolder: string;
  readonly dryRun: boolean;
  readonly batchSize: number;
  readonly unownedTo: string | undefined;
  readonly tables: readonly string[];
  readonly lockSeconds: number;
  readonly rowsPath: string;
}

const DEFAULT_TABLES = ["projects", "sessions", "roles"];
const MOST_ROWS = 100_000;

/** Checks options. @throws {@link TransferError} `INVALID_ARGUMENT` */
export function importSettings(options: ImportPostgresOptions): ImportSettings {
  const {
    schema = "public",
    dryRun = false,
    batchSize = 5_000,
    lockSeconds = 30,
    unownedTo,
  } = options;
  const systemPath = resolve(requireText(options.out?.systemPath, "out.systemPath"));
  requireWhole(batchSize, "batchSize", MOST_ROWS);
  requireWhole(lockSeconds, "lockSeconds", 3_600);
  return {
    url: requireText(options.url, "url"),
    schema: requireText(schema, "schema"),
    systemPath,
    tenantsFolder: resolve(requireText(options.out.tenantsFolder, "out.tenantsFolder")),
    dryRun,
    batchSize,
    lockSeconds,
    unownedTo: unownedTo === undefined ? undefined : requireText(unownedTo, "unownedTo"),
    tables: options.tables ?? DEFAULT_TABLES,
    rowsPath: resolve(options.rowsPath ?? join(dirname(systemPath), "import-rows.ndjson")),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  };
}

/** @throws {@link TransferError} `INVALID_ARGUMENT` */
export function requireText(value: unknown, what: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new TransferError("INVALID_ARGUMENT", `${what} must be a non-empty string`);
}

/** @throws {@link TransferError} `INVALID_ARGUMENT` */
export function requireWhole(value: unknown, what: string, most: number): void {
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most) return;
  throw new TransferError(
    "INVALID_ARGUMENT",
    `${what} must be a whole number from 1 to ${most}, got ${String(value)}`,
  );
}
