import type { JsonObject } from "../tables/common.ts";

/** A node to write. */
export interface NodeInput {
  /** What it is called in its graph: 1 to 512 characters. */
  readonly key: string;
  /** Name of a node type of the graph's type: `task`. */
  readonly type: string;
  /** Must fit the node type. Default `{}`. */
  readonly attributes?: JsonObject;
  /** Notes that no schema checks. Default `{}`; an upsert without keeps what is there. */
  readonly metadata?: JsonObject;
}

/** An edge to write. */
export interface EdgeInput {
  /** What it is called in its graph. Default none; it then goes by its id. */
  readonly key?: string;
  /** Name of an edge type of the graph's type: `waits_for`. */
  readonly type: string;
  /** Key of the node it starts at. */
  readonly source: string;
  /** Key of the node it leads to. */
  readonly target: string;
  /** Must fit the edge type. Default `{}`. */
  readonly attributes?: JsonObject;
  /** Whether it counts both ways. Default true in undirected graphs, false in others. */
  readonly undirected?: boolean;
  /** Notes that no schema checks. Default `{}`; an upsert without keeps what is there. */
  readonly metadata?: JsonObject;
}

/** What an upsert did. */
export interface UpsertResult {
  readonly created: number;
  readonly updated: number;
  /** Rows that were equal already: not written, no event. */
  readonly unchanged: number;
}

/** What must be true for a change to be made; both by default not asked. */
export interface ChangeOptions {
  /** The `revision` that you read. */
  readonly ifRevision?: number;
  /** The `updatedAt` that you read, in whole seconds; prefer the revision. */
  readonly ifUpdatedAt?: Date;
}

/** What a node or edge becomes. */
export interface Replacement {
  readonly attributes: JsonObject;
  /** Default: what is there. */
  readonly metadata?: JsonObject;
}
