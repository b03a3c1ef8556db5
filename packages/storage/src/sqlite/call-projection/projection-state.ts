import type { Database } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";

/** What a file knows about a projection. */
export interface ProjectionState {
  readonly consumer: string;
  /** The graph that is shown and written. */
  readonly graphId: string;
  /** Offset of the oldest event that is in it; null while there is none. */
  readonly first: number | null;
  /** The graph that a rebuild fills, and how far it is; null while there is none. */
  readonly rebuild: ProjectionRebuild | null;
}

/** A rebuild that is not over. */
export interface ProjectionRebuild {
  readonly graphId: string;
  readonly offset: number;
  readonly first: number | null;
}

const READ = "SELECT value FROM _alk_storage_state WHERE key = ?";
const WRITE = `INSERT INTO _alk_storage_state (key, value) VALUES (?, ?)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value`;

/** The state of the projection of that name, or null before its first event. */
export function readProjection(client: Database, graphName: string): ProjectionState | null {
  const row = client.prepare(READ).row([keyOf(graphName)]);
  return row === undefined ? null : (JSON.parse(row[0] as string) as ProjectionState);
}

/** Writes the state, in the open transaction. */
export function writeProjection(client: Database, graphName: string, state: ProjectionState): void {
  client.prepare(WRITE).run([keyOf(graphName), JSON.stringify(state)]);
}

/**
 * Two consumers that write one graph would each go through the stream once more.
 *
 * @throws StorageError `CONFLICT`
 */
export function requireConsumer(
  state: ProjectionState | null,
  { graphName, consumer }: { readonly graphName: string; readonly consumer: string },
): void {
  if (state === null || state.consumer === consumer) return;
  throw new StorageError(
    "CONFLICT",
    `call graph "${graphName}" is written by consumer "${state.consumer}", not by "${consumer}"`,
    {
      hint: "Use one consumer per graph name; processes may share it",
      details: { graphName, consumer, found: state.consumer },
    },
  );
}

function keyOf(graphName: string): string {
  return `call_projection:${graphName}`;
}
