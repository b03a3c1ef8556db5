import type { SqlValue } from "@alkdev/honker";
import type { JsonObject } from "../tables/common.ts";
import { isPlain } from "./json-value.ts";

/** What nodes and edges have in common when read. */
export interface StoredRow {
  readonly id: string;
  /** Name of its node or edge type; null for a row written by other means without one. */
  readonly type: string | null;
  readonly attributes: JsonObject;
  /** What its writer added, without what the store keeps there. */
  readonly metadata: JsonObject;
  /** Counts writes, from 1; pass it as `ifRevision` to write only what you have read. */
  readonly revision: number;
  /** The version of the graph type that its attributes were migrated to; null where none did. */
  readonly version: number | null;
  readonly createdAt: Date;
  /** In whole seconds, so two writes may have the same; see `revision`. */
  readonly updatedAt: Date;
}

/** A node as it is stored. */
export interface StoredNode extends StoredRow {
  readonly key: string;
}

/** An edge as it is stored. */
export interface StoredEdge extends StoredRow {
  /** Null where it was given none; it then goes by its `id`. */
  readonly key: string | null;
  /** Keys of the nodes it joins. */
  readonly source: string;
  readonly target: string;
  readonly undirected: boolean;
}

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins: pass it as `cursor`. Null after the last. */
  readonly cursor: string | null;
}

/** The columns that {@link nodeOf} reads, in its order. */
export const NODE_COLUMNS = "id, metadata, attributes, created_at, updated_at, key";

/** The columns that {@link edgeOf} reads, in its order. */
export const EDGE_COLUMNS =
  "id, metadata, attributes, created_at, updated_at, key, source_node_key, target_node_key, undirected";

/** A node from its columns. */
export function nodeOf(row: readonly SqlValue[]): StoredNode {
  const [id, metadataText, attributes, createdAt, updatedAt, key] = row as [
    ...[string, string, string, number, number],
    string,
  ];
  const { internal, metadata } = splitMetadata(metadataText);
  return {
    id,
    key,
    type: internal.nodeType ?? null,
    attributes: JSON.parse(attributes),
    metadata,
    revision: internal.revision ?? 1,
    version: internal.version ?? null,
    createdAt: new Date(createdAt * 1_000),
    updatedAt: new Date(updatedAt * 1_000),
  };
}

/** An edge from its columns. */
export function edgeOf(row: readonly SqlValue[]): StoredEdge {
  const [id, metadataText, attributes, createdAt, updatedAt, key, source, target, undirected] =
    row as [
      ...[string, string, string, number, number],
      ...[string | null, string, string, number],
    ];
  const { internal, metadata } = splitMetadata(metadataText);
  return {
    id,
    key,
    type: internal.edgeType ?? null,
    source,
    target,
    undirected: undirected === 1,
    attributes: JSON.parse(attributes),
    metadata,
    revision: internal.revision ?? 1,
    version: internal.version ?? null,
    createdAt: new Date(createdAt * 1_000),
    updatedAt: new Date(updatedAt * 1_000),
  };
}

/** What an edge is called in calls and events: its key, or its id where it has none. */
export function edgeName(edge: Pick<StoredEdge, "id" | "key">): string {
  return edge.key ?? edge.id;
}

/** The store's part of a row's metadata. */
export interface Internal {
  readonly nodeType?: string;
  readonly edgeType?: string;
  readonly revision?: number;
  readonly version?: number;
}

/** Texts of metadata that hold the store's part alone, as most do; they are few. */
const plainTexts = new Map<string, Internal>();
const MOST_TEXTS = 1_000;

/** Metadata taken apart into what the store keeps and the rest. */
export function splitMetadata(text: string): { internal: Internal; metadata: JsonObject } {
  const known = plainTexts.get(text);
  if (known !== undefined) return { internal: known, metadata: {} };
  const parsed: unknown = JSON.parse(text);
  if (!isPlain(parsed)) return { internal: {}, metadata: {} };
  const { _metagraph, ...metadata } = parsed;
  const internal = internalOf(_metagraph);
  if (Object.keys(metadata).length === 0) {
    if (plainTexts.size >= MOST_TEXTS) plainTexts.clear();
    plainTexts.set(text, internal);
  }
  return { internal, metadata };
}

/** The store's part; a row written by other means may hold anything that is JSON there. */
function internalOf(value: unknown): Internal {
  if (!isPlain(value)) return {};
  const { nodeType, edgeType, revision, version } = value;
  return {
    ...(typeof nodeType === "string" ? { nodeType } : {}),
    ...(typeof edgeType === "string" ? { edgeType } : {}),
    ...(Number.isSafeInteger(revision) ? { revision: revision as number } : {}),
    ...(Number.isSafeInteger(version) ? { version: version as number } : {}),
  };
}

/** Metadata as it is stored. */
export function joinMetadata(metadata: JsonObject | undefined, internal: Internal): string {
  return JSON.stringify({ ...metadata, _metagraph: internal });
}

/** The store's part of the metadata of a row that is written again. */
export function nextInternal(row: StoredRow, kind: "nodeType" | "edgeType"): Internal {
  return {
    ...(row.type === null ? {} : { [kind]: row.type }),
    revision: row.revision + 1,
    ...(row.version === null ? {} : { version: row.version }),
  };
}
