/** What a long call tells while it works. */
export interface TransferProgress {
  /** What it does: `read`, `verify`, `export`. */
  readonly phase: string;
  /** The table, stream or queue it is at. */
  readonly item: string;
  /** Rows of it that are done. */
  readonly done: number;
  /** Rows of it in all; `null` when that is not known. */
  readonly total: number | null;
}

/** Options that every long call takes. */
export interface TransferOptions {
  /** Called after every batch. It must not throw. */
  readonly onProgress?: (progress: TransferProgress) => void;
  /** Ends the call after the batch it is at; what is committed stays, and calling again goes on from there. */
  readonly signal?: AbortSignal;
}
