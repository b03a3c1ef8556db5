import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { query } from "./define-operation.ts";
import { fitting } from "./fitting.ts";
import { EdgeSchema, FOLLOW, NodeSchema, viewOf, WhereSchema } from "./graph-schemas.ts";
import { graphStoreOf } from "./graph-store-of.ts";
import {
  Count,
  Cursor,
  closed,
  given,
  Key,
  limit,
  Name,
  nullable,
  oneOf,
  page,
} from "./schemas.ts";

const MOST_DEPTH = 1_000;
/** Nodes that a search for a path comes across at most: some tens of milliseconds. */
const MOST_SEARCHED = 20_000;
const Depth = Type.Optional(Type.Integer({ minimum: 0, maximum: MOST_DEPTH }));
const READ = { scope: "graphs:read", errors: ["NOT_FOUND", "INVALID_ARGUMENT"] } as const;

/** Questions to graphs that the operations of their tables do not answer. */
export const graphOperations: readonly HubOperation[] = [
  query(
    {
      id: "nodes.query",
      description:
        'Finds nodes of a graph by type and attributes, ordered by key or by an attribute: `where: { status: "open", "size.width": { gt: 3 } }`.',
      input: closed({
        graphId: Name,
        type: Type.Optional(Name),
        where: WhereSchema,
        orderBy: Type.Optional(
          closed({
            attribute: Type.String({ minLength: 1, maxLength: 512 }),
            direction: Type.Optional(oneOf(["asc", "desc"])),
          }),
        ),
        limit: limit(500, 100),
        cursor: Cursor,
      }),
      output: page(NodeSchema),
      ...READ,
      scope: "nodes:read",
    },
    ({ graphId, ...input }, context) => {
      const { items, cursor } = graphStoreOf(context)
        .graph(graphId)
        .listNodes(given(input) as never);
      return { items: items.map(viewOf), cursor };
    },
  ),
  query(
    {
      id: "edges.query",
      description:
        "Finds edges of a graph by type, ends and attributes, in the order of their ends.",
      input: closed({
        graphId: Name,
        type: Type.Optional(Name),
        source: Type.Optional(Key),
        target: Type.Optional(Key),
        where: WhereSchema,
        limit: limit(500, 100),
        cursor: Cursor,
      }),
      output: page(EdgeSchema),
      ...READ,
      scope: "edges:read",
    },
    ({ graphId, ...input }, context) => {
      const { items, cursor } = graphStoreOf(context).graph(graphId).listEdges(given(input));
      return { items: items.map(viewOf), cursor };
    },
  ),
  query(
    {
      id: "graphs.neighbours",
      description:
        "Lists the nodes that edges lead to from a node (`out`), that lead to it (`in`) or both, each once, by key.",
      input: closed({
        graphId: Name,
        key: Key,
        nodeType: Type.Optional(Name),
        ...FOLLOW,
        limit: limit(500, 100),
        cursor: Cursor,
      }),
      output: page(NodeSchema),
      ...READ,
    },
    ({ graphId, key, ...input }, context) => {
      const graph = graphStoreOf(context).graph(graphId);
      const { items, cursor } = graph.neighbours(key, given(input));
      return { items: items.map(viewOf), cursor };
    },
  ),
  query(
    {
      id: "graphs.shortestPath",
      description: `Finds a shortest path from one node to another and gives the keys on it, both ends included; null where there is none within \`maxDepth\` edges. Given up after ${MOST_SEARCHED} nodes: name an edge type to look at fewer.`,
      input: closed({
        graphId: Name,
        from: Key,
        to: Key,
        maxDepth: Type.Optional(Type.Integer({ minimum: 0, maximum: 64, default: 16 })),
        ...FOLLOW,
      }),
      output: closed({ path: nullable(Type.Array(Type.String())) }),
      ...READ,
      errors: [...READ.errors, "LIMIT_REACHED"],
    },
    ({ graphId, from, to, maxDepth = 16, ...follow }, context) => {
      const options = { maxDepth, maxNodes: MOST_SEARCHED, ...given(follow) };
      const path = graphStoreOf(context).graph(graphId).shortestPath(from, to, options);
      return { path: path === null ? null : [...path] };
    },
  ),
  query(
    {
      id: "graphs.reachable",
      description:
        "Lists the keys of the nodes that edges lead to from some nodes, the nearest first, and how many edges away each is. `complete` is false where some are left out.",
      input: closed({
        graphId: Name,
        roots: Type.Array(Key, { minItems: 1, maxItems: 100 }),
        depth: Depth,
        limit: limit(5_000, 1_000),
        ...FOLLOW,
      }),
      output: closed({
        nodes: Type.Array(closed({ key: Type.String(), depth: Count })),
        complete: Type.Boolean(),
      }),
      ...READ,
    },
    ({ graphId, roots, limit: most = 1_000, ...input }, context) => {
      const options = { limit: most, ...given(input) };
      const { depths, complete } = graphStoreOf(context).graph(graphId).reachable(roots, options);
      return { nodes: Array.from(depths, ([key, depth]) => ({ key, depth })), complete };
    },
  ),
  query(
    {
      id: "graphs.subgraph",
      description:
        "Gives the nodes that edges lead to from some nodes, and every edge between two of them. `complete` is false where nodes are left out.",
      input: closed({
        graphId: Name,
        roots: Type.Array(Key, { minItems: 1, maxItems: 100 }),
        depth: Depth,
        limit: limit(1_000, 200),
        ...FOLLOW,
      }),
      output: closed({
        nodes: Type.Array(NodeSchema),
        edges: Type.Array(EdgeSchema),
        complete: Type.Boolean(),
      }),
      ...READ,
    },
    ({ graphId, roots, limit: most = 200, ...input }, context) => {
      const options = { limit: most, ...given(input) };
      const { nodes, edges, complete } = graphStoreOf(context)
        .graph(graphId)
        .subgraph(roots, options);
      const shown = fitting(edges.map(viewOf), 10_000);
      return { nodes: nodes.map(viewOf), edges: shown.items, complete: complete && !shown.more };
    },
  ),
];
