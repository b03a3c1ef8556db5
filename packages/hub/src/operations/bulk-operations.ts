import { CallError, type OperationContext } from "@alkdev/operations";
import { ACL_GRAPH_ID, type Graph } from "@alkdev/storage/sqlite";
import { Type } from "@sinclair/typebox";
import { placeOf } from "../core/call-place.ts";
import type { HubOperation } from "../core/hub-options.ts";
import { atomicMutation } from "./define-operation.ts";
import { graphStoreOf } from "./graph-store-of.ts";
import type { OperationsHost } from "./operations-host.ts";
import { Count, closed, JsonObject, Key, Name } from "./schemas.ts";

/** Rows of one call: one commit that holds the write lock for some hundred milliseconds. */
const MOST_ROWS = 10_000;

const NodeInputSchema = closed({
  key: Key,
  type: Name,
  attributes: Type.Optional(JsonObject),
  metadata: Type.Optional(JsonObject),
});
const EdgeInputSchema = closed({
  key: Type.Optional(Key),
  type: Name,
  source: Key,
  target: Key,
  attributes: Type.Optional(JsonObject),
  undirected: Type.Optional(Type.Boolean()),
  metadata: Type.Optional(JsonObject),
});
const Nodes = Type.Array(NodeInputSchema, { minItems: 1, maxItems: MOST_ROWS });
const Edges = Type.Array(EdgeInputSchema, { minItems: 1, maxItems: MOST_ROWS });
const Keys = Type.Array(Key, { minItems: 1, maxItems: MOST_ROWS });
const Upserted = closed({ created: Count, updated: Count, unchanged: Count });
const WRITE_ERRORS = [
  "NOT_FOUND",
  "INVALID_ARGUMENT",
  "INVALID_ATTRIBUTES",
  "ALREADY_EXISTS",
  "MIGRATION_STATE",
  "QUOTA_EXCEEDED",
  "READ_ONLY",
] as const;
const NODES = { scope: "nodes:write", errors: WRITE_ERRORS } as const;
const EDGES = { scope: "edges:write", errors: [...WRITE_ERRORS, "EDGE_NOT_ALLOWED"] } as const;

/** Writing many nodes or edges at once: all or none, one commit. */
export function bulkOperations({ tenants }: OperationsHost): readonly HubOperation[] {
  /** A quota that refuses says so, as in `withTenant`. */
  const writing = <T>(
    context: OperationContext,
    graphId: string,
    write: (graph: Graph) => T,
  ): T => {
    requireNotAcl(graphId);
    const orgId = placeOf(context).tenant?.orgId ?? "";
    return tenants.withTenant(orgId, () => write(graphStoreOf(context).graph(graphId))) as T;
  };
  return [
    atomicMutation(
      {
        id: "nodes.insertMany",
        description: `Adds up to ${MOST_ROWS} nodes to a graph, all or none, and returns their ids in order.`,
        input: closed({ graphId: Name, nodes: Nodes }),
        output: closed({ ids: Type.Array(Type.String()) }),
        ...NODES,
      },
      ({ graphId, nodes }, context) => ({
        ids: writing(context, graphId, (graph) => [...graph.insertNodes(nodes as never)]),
      }),
    ),
    atomicMutation(
      {
        id: "nodes.upsertMany",
        description: `Adds up to ${MOST_ROWS} nodes, and gives those whose key is there the given attributes; all or none. Equal ones are not written.`,
        input: closed({ graphId: Name, nodes: Nodes }),
        output: Upserted,
        ...NODES,
      },
      ({ graphId, nodes }, context) =>
        writing(context, graphId, (graph) => ({ ...graph.upsertNodes(nodes as never) })),
    ),
    atomicMutation(
      {
        id: "nodes.deleteMany",
        description: `Deletes up to ${MOST_ROWS} nodes by key, and their edges with them; all or none. Keys that are not there count for nothing.`,
        input: closed({ graphId: Name, keys: Keys }),
        output: closed({ deleted: Count }),
        ...NODES,
      },
      ({ graphId, keys }, context) => ({
        deleted: writing(context, graphId, (graph) => graph.deleteNodes(keys)),
      }),
    ),
    atomicMutation(
      {
        id: "edges.insertMany",
        description: `Adds up to ${MOST_ROWS} edges to a graph, all or none, and returns their ids in order.`,
        input: closed({ graphId: Name, edges: Edges }),
        output: closed({ ids: Type.Array(Type.String()) }),
        ...EDGES,
      },
      ({ graphId, edges }, context) => ({
        ids: writing(context, graphId, (graph) => [...graph.insertEdges(edges as never)]),
      }),
    ),
    atomicMutation(
      {
        id: "edges.upsertMany",
        description: `Adds up to ${MOST_ROWS} edges, and gives those that are there the given attributes; all or none. Equal ones are not written.`,
        input: closed({ graphId: Name, edges: Edges }),
        output: Upserted,
        ...EDGES,
      },
      ({ graphId, edges }, context) =>
        writing(context, graphId, (graph) => ({ ...graph.upsertEdges(edges as never) })),
    ),
    atomicMutation(
      {
        id: "edges.deleteMany",
        description: `Deletes up to ${MOST_ROWS} edges by key, or by id where they have none; all or none. Keys that are not there count for nothing.`,
        input: closed({ graphId: Name, keys: Keys }),
        output: closed({ deleted: Count }),
        ...EDGES,
      },
      ({ graphId, keys }, context) => ({
        deleted: writing(context, graphId, (graph) => graph.deleteEdges(keys)),
      }),
    ),
  ];
}

/** Whoever may write nodes could give himself any permission. @throws CallError `READ_ONLY` */
function requireNotAcl(graphId: string): void {
  if (graphId !== ACL_GRAPH_ID) return;
  throw new CallError("READ_ONLY", "the graph of permissions is not written like other graphs", {
    details: { graphId },
  });
}
