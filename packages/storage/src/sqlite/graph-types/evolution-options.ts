import type { Database, Transaction } from "@alkdev/honker";
import type { Migration } from "../../graphs/index.ts";
import { requireBatchSize } from "../require-batch-size.ts";

/** How far an evolution is. */
export interface EvolutionProgress {
  /** `checking` reads only; `migrating` writes. */
  readonly phase: "checking" | "migrating";
  /** Rows that are dealt with; those without a type count as such. */
  readonly done: number;
  /** Nodes and edges in the graphs of the type when the phase began. */
  readonly total: number;
  /** Rows that do not fit. */
  readonly failed: number;
}

/** Options of {@link evolveGraphType}. */
export interface EvolveOptions {
  /**
   * The functions by version, those of earlier versions too: a file may come from far behind. Default
   * none, which suffices where defaults do.
   */
  readonly migrations?: readonly Migration[];
  /** Rows per transaction, default 500, at most 10,000. Lower it where functions are slow. */
  readonly batchSize?: number;
  /**
   * Whether all rows are tried before the first is written, default true: a migration that cannot finish
   * then never starts. Functions run twice per row for it.
   */
  readonly precheck?: boolean;
  /** Ends the work between two batches; the next call goes on where it ended. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: EvolutionProgress) => void;
  /** Milliseconds to wait while another process evolves the type, default without end. */
  readonly waitMs?: number;
  /** Seconds, default 30: how long others wait after this process was killed. */
  readonly lockTtlSeconds?: number;
  /**
   * Runs the last transaction, in which the new schemas and the version are written, default
   * `client.transaction`. Give a job's `complete` to end the job in the same commit.
   */
  readonly commit?: (write: (tx: Transaction) => void) => void;
}

/** {@link EvolveOptions} with every default filled in. */
export interface EvolveSettings {
  readonly migrations: readonly Migration[];
  readonly batchSize: number;
  readonly precheck: boolean;
  readonly onProgress: (progress: EvolutionProgress) => void;
  readonly commit: (write: (tx: Transaction) => void) => void;
}

/** Fills in defaults. @throws StorageError `INVALID_ARGUMENT` */
export function resolveEvolveOptions(client: Database, options: EvolveOptions): EvolveSettings {
  return {
    migrations: options.migrations ?? [],
    batchSize: requireBatchSize(options.batchSize ?? 500),
    precheck: options.precheck ?? true,
    onProgress: options.onProgress ?? (() => undefined),
    commit: options.commit ?? ((write) => client.transaction((tx) => write(tx))),
  };
}
