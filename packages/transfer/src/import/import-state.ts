import type { Database, Stream } from "@alkdev/honker";
import type { Position } from "../postgres/table-query.ts";
import type { RowSumState } from "../row-sum.ts";
import type { ImportReport } from "./import-report.ts";
import type { RowReport } from "./row-refusal.ts";
import type { JsonNotes } from "./values.ts";

/** What became of the rows of one source table. */
export interface StepState {
  /** Count and checksum of the rows as they were read. */
  readonly read: RowSumState;
  readonly taken: number;
  readonly rejected: number;
  /** Of the taken ones, changes that were reported. */
  readonly changed: number;
}

/** How far an import is. Committed with every batch, in the file that the batch is in. */
export interface ImportState {
  readonly version: 1;
  /** Counts commits; of two states the one with more is the newer. */
  readonly sequence: number;
  /** What was asked for: another source or other options are another import. */
  readonly identity: ImportIdentity;
  readonly startedAt: string;
  /** One for each time it was begun or went on. */
  readonly snapshots: number;
  /** Name of the step it is in; `done` after the last. */
  readonly step: string;
  /** Organization whose file has, or may have, a newer state; "" for system.db itself. */
  readonly org: string;
  /** The last row of the step that is done. */
  readonly after: Position | null;
  readonly steps: Readonly<Record<string, StepState>>;
  /** What was written, by target table. */
  readonly written: Readonly<Record<string, RowSumState>>;
  readonly notes: JsonNotes;
  /** Set when all is verified. */
  readonly report: ImportReport | null;
}

/** What an import reads, and how. */
export interface ImportIdentity {
  /** Identifies the server's data, whatever it is called. */
  readonly system: string;
  readonly database: string;
  readonly schema: string;
  readonly unownedTo: string | null;
  readonly tables: readonly string[];
}

const STATE_STREAM = "transfer:import";
const ROWS_STREAM = "transfer:import:rows";
/** Older states are of no use. */
const KEPT_STATES = { maxCount: 10, force: true } as const;

/** Where a file keeps how far the import is. */
export function stateStream(client: Database): Stream<ImportState> {
  return client.stream<ImportState>(STATE_STREAM, { retention: KEPT_STATES });
}

/** Where a file keeps what is reported of rows until the import ends. */
export function rowsStream(client: Database): Stream<RowReport> {
  return client.stream<RowReport>(ROWS_STREAM);
}

/** The newest state of a file, or null. */
export function readState(client: Database): ImportState | null {
  const stream = stateStream(client);
  const { lastOffset } = stream.info();
  if (lastOffset === null) return null;
  return stream.readSince(lastOffset - 1, 1)[0]?.payload ?? null;
}

/** Removes what the import kept in a file. */
export function removeTraces(client: Database, keepState: boolean): void {
  rowsStream(client).prune({ maxCount: 0, force: true });
  stateStream(client).prune({ maxCount: keepState ? 1 : 0, force: true });
}
