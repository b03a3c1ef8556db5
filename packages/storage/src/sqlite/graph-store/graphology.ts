import { StorageError } from "../../errors.ts";
import type { GraphConfig } from "../../graphs/index.ts";
import type { JsonObject } from "../tables/common.ts";
import { kindOf } from "./check-row.ts";
import type { Graph } from "./graph.ts";
import type { EdgeInput, NodeInput } from "./inputs.ts";
import { isPlain } from "./json-value.ts";

/** A node as graphology writes it. */
export interface SerializedNode {
  readonly key: string;
  readonly attributes?: JsonObject;
}

/** An edge as graphology writes it. */
export interface SerializedEdge {
  readonly key?: string;
  readonly source: string;
  readonly target: string;
  readonly attributes?: JsonObject;
  readonly undirected?: boolean;
}

/** A graph as graphology's `export()` writes and its `import()` reads it (https://graphology.github.io). */
export interface SerializedGraph {
  readonly attributes: JsonObject;
  readonly options: Partial<GraphConfig>;
  readonly nodes: SerializedNode[];
  readonly edges: SerializedEdge[];
}

/** What {@link fromGraphology} reads: a {@link SerializedGraph}, or one whose rows come one by one. */
export interface GraphologySource {
  readonly options?: Partial<GraphConfig>;
  readonly nodes: Iterable<SerializedNode>;
  readonly edges: Iterable<SerializedEdge>;
}

/** How types travel in a format that has none. */
export interface GraphologyOptions {
  /** The attribute that holds the name of a node's or edge's type. Default `_type`. */
  readonly typeAttribute?: string;
}

/** How a foreign graph is read. */
export interface FromGraphologyOptions extends GraphologyOptions {
  /** The type of nodes without that attribute. Default none: they are refused. */
  readonly nodeType?: string;
  /** The type of edges without that attribute. Default none: they are refused. */
  readonly edgeType?: string;
}

const TYPE_ATTRIBUTE = "_type";
/** Rows that are checked and written at once. */
const CHUNK = 10_000;

/**
 * A graph in graphology's format, of one moment. Metadata stays behind. `multi` is true where two edges of
 * different types may join the same nodes, which graphology calls multi-edges.
 *
 * @throws StorageError `NOT_FOUND`, `INVALID_ARGUMENT` where an attribute has the name of `typeAttribute`
 * @example
 * ```ts
 * const memory = new MultiDirectedGraph();
 * memory.import(toGraphology(store.graph(id)));
 * ```
 */
export function toGraphology(graph: Graph, options: GraphologyOptions = {}): SerializedGraph {
  const { typeAttribute = TYPE_ATTRIBUTE } = options;
  return graph.read(() => {
    const { name, type, config, edgeTypes } = graph.describe();
    const nodes = Array.from(graph.eachNode(), (node) => ({
      key: node.key,
      attributes: withType(node, typeAttribute),
    }));
    const edges = Array.from(graph.eachEdge(), (edge) => ({
      ...(edge.key === null ? {} : { key: edge.key }),
      source: edge.source,
      target: edge.target,
      attributes: withType(edge, typeAttribute),
      ...(edge.undirected ? { undirected: true } : {}),
    }));
    const multi = config.multi || edgeTypes.length > 1;
    return { attributes: { name, type }, options: { ...config, multi }, nodes, edges };
  });
}

/**
 * Adds the nodes and edges of a graph in graphology's format, all or none. Rows are taken as they come, so
 * generators of millions need no memory for them.
 *
 * @throws StorageError as `insertNodes` and `insertEdges`
 * @example
 * ```ts
 * fromGraphology(store.graph(id), memory.export(), { nodeType: "task", edgeType: "waits_for" });
 * ```
 */
export function fromGraphology(
  graph: Graph,
  source: GraphologySource,
  options: FromGraphologyOptions = {},
): { readonly nodes: number; readonly edges: number } {
  const { typeAttribute = TYPE_ATTRIBUTE, nodeType = "", edgeType = "" } = options;
  const undirectedGraph = source.options?.type === "undirected";
  let [nodes, edges] = [0, 0];
  graph.transaction(() => {
    for (const part of chunks(source.nodes)) {
      nodes += graph.insertNodes(
        part.map(({ key, attributes = {} }): NodeInput => {
          return { key, ...typedAttributes(attributes, typeAttribute, nodeType) };
        }),
      ).length;
    }
    for (const part of chunks(source.edges)) {
      edges += graph.insertEdges(
        part.map(({ key, source: from, target, attributes = {}, undirected }): EdgeInput => {
          // graphology writes the flag only where a graph is mixed
          const flag = undirected ?? (undirectedGraph || undefined);
          return {
            ...(key === undefined ? {} : { key }),
            source: from,
            target,
            ...(flag === undefined ? {} : { undirected: flag }),
            ...typedAttributes(attributes, typeAttribute, edgeType),
          };
        }),
      ).length;
    }
  });
  return { nodes, edges };
}

function withType(
  { id, type, attributes }: { id: string; type: string | null; attributes: JsonObject },
  typeAttribute: string,
): JsonObject {
  if (!Object.hasOwn(attributes, typeAttribute)) {
    return type === null ? attributes : { ...attributes, [typeAttribute]: type };
  }
  throw new StorageError("INVALID_ARGUMENT", `row "${id}" has an attribute "${typeAttribute}"`, {
    hint: "Name another typeAttribute, which no attribute has",
    details: { id, typeAttribute },
  });
}

function typedAttributes(
  attributes: JsonObject,
  typeAttribute: string,
  otherwise: string,
): { readonly type: string; readonly attributes: JsonObject } {
  const { [typeAttribute]: type = otherwise, ...rest } = attributes;
  return { type: type as string, attributes: rest };
}

function* chunks<Row>(rows: Iterable<Row>): Generator<Row[]> {
  let chunk: Row[] = [];
  for (const row of rows) {
    if (!isPlain(row)) {
      const what = `a row of the graph is ${kindOf(row)}, not an object`;
      throw new StorageError("INVALID_ARGUMENT", what);
    }
    chunk.push(row as Row);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
