import { setImmediate } from "node:timers/promises";
import type { Transaction } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { firstCallEvent } from "./call-stream.ts";
import {
  applyRows,
  ensureProjection,
  newCallGraph,
  nextEvents,
  type ProjectionContext,
  requireNoTransaction,
} from "./projection-context.ts";
import { type ProjectionState, writeProjection } from "./projection-state.ts";

/** Options of `rebuild()`. */
export interface RebuildOptions {
  /**
   * What becomes of the graph so far, in the commit that puts the new one in its place. Default
   * `"archive"`, which is quick; `"delete"` holds the write lock while its nodes go.
   */
  readonly old?: "archive" | "delete";
  /**
   * Where events were pruned that the graph so far still shows: default `"refuse"`; `"forget"` makes a
   * graph without those calls.
   */
  readonly pruned?: "refuse" | "forget";
  /** Stops between two batches; the next call goes on from there. */
  readonly signal?: AbortSignal;
  /** Called after each batch. */
  readonly onProgress?: (progress: { readonly events: number }) => void;
}

/** What a rebuild did. */
export interface RebuildResult {
  /** The graph that is shown now. */
  readonly graphId: string;
  /** The graph that was shown before; null where it was deleted. */
  readonly previousGraphId: string | null;
  /** Events that this call applied. */
  readonly events: number;
}

/** Fills a new graph from the oldest event on, then puts it in the place of the present one. */
export async function rebuild(
  context: ProjectionContext,
  options: RebuildOptions,
): Promise<RebuildResult> {
  const { old = "archive", pruned = "refuse", signal, onProgress } = options;
  requireChoice("old", old, ["archive", "delete"]);
  requireChoice("pruned", pruned, ["refuse", "forget"]);
  requireNoTransaction(context.client, "rebuild a call graph");
  let events = 0;
  for (;;) {
    signal?.throwIfAborted();
    const step = context.client.transaction((tx) => advance(context, tx, { old, pruned }));
    if (typeof step !== "number") return { ...step, events };
    events += step;
    onProgress?.({ events });
    await setImmediate();
  }
}

/** One batch, or the swap when there is none left. Another process may have done some of it meanwhile. */
function advance(
  context: ProjectionContext,
  tx: Transaction,
  { old, pruned }: Required<Pick<RebuildOptions, "old" | "pruned">>,
): number | Omit<RebuildResult, "events"> {
  const { client, store, graphName } = context;
  const state = ensureProjection(context, tx);
  let running = state.rebuild;
  if (running === null || store.getGraph(running.graphId) === null) {
    if (pruned === "refuse") requireWhole(context, state);
    running = { graphId: newCallGraph(context), offset: 0, first: null };
  }
  const rows = nextEvents(context, running.offset);
  const [first] = rows;
  if (first === undefined) return swap(context, tx, { state, next: running, old });
  const offset = applyRows(context, running.graphId, rows);
  const next = { ...running, offset, first: running.first ?? first.offset };
  writeProjection(client, graphName, { ...state, rebuild: next });
  return rows.length;
}

function swap(
  context: ProjectionContext,
  tx: Transaction,
  {
    state,
    next,
    old,
  }: {
    readonly state: ProjectionState;
    readonly next: NonNullable<ProjectionState["rebuild"]>;
    readonly old: "archive" | "delete";
  },
): Omit<RebuildResult, "events"> {
  const { client, store, stream, consumer, graphName } = context;
  const { graphId, offset, first } = next;
  writeProjection(client, graphName, { consumer, graphId, first, rebuild: null });
  stream.saveOffsetTx(tx, consumer, offset);
  const previous = store.getGraph(state.graphId);
  if (previous === null) return { graphId, previousGraphId: null };
  if (old === "delete") store.deleteGraph(previous.id);
  else store.archiveGraph(previous.id);
  return { graphId, previousGraphId: old === "delete" ? null : previous.id };
}

/** @throws StorageError `NOT_FOUND` where the stream no longer holds what the graph was made of */
function requireWhole({ client, graphName }: ProjectionContext, { first }: ProjectionState): void {
  if (first === null) return;
  const kept = firstCallEvent(client);
  if (kept !== null && kept <= first) return;
  throw new StorageError(
    "NOT_FOUND",
    `call graph "${graphName}" was made from offset ${first} on, and the stream begins at ${kept ?? "its end"}`,
    {
      hint: 'Pass pruned: "forget" for a graph without the calls of pruned events',
      details: { graphName, first, kept },
    },
  );
}

function requireChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (choices.includes(value as string)) return;
  const known = choices.map((choice) => `"${choice}"`).join(" or ");
  throw new StorageError("INVALID_ARGUMENT", `${name} must be ${known}, got ${String(value)}`);
}
