import { Type } from "@sinclair/typebox";
import { CallEvent } from "./call-event.ts";
import type { Catalog } from "./catalog.ts";
import { Changes, Exact, Id, Timestamp } from "./schemas.ts";

/** Keys of nodes or edges of one graph, at most 1,000; edges without a key are listed by their id. */
const Keys = Exact({ graphId: Id, keys: Type.Array(Id, { minItems: 1 }) });

/** What travels through a tenant's file. */
export const tenantCatalog = {
  channels: {
    "graph:created": {
      description: "A graph was created.",
      payload: Exact({
        graphId: Id,
        graphTypeId: Type.Union([Id, Type.Null()]),
        ownerId: Type.Union([Id, Type.Null()]),
      }),
    },
    "graph:updated": {
      description: "Columns of a graph changed.",
      payload: Exact({ graphId: Id, changes: Changes }),
    },
    "graph:deleted": {
      description: "A graph and everything in it was deleted.",
      payload: Exact({ graphId: Id }),
    },
    "nodes:created": { description: "Nodes were added to a graph.", payload: Keys },
    "nodes:updated": { description: "Attributes of nodes changed.", payload: Keys },
    "nodes:deleted": { description: "Nodes were deleted, and their edges.", payload: Keys },
    "edges:created": {
      description: "Edges were added to a graph; those without a key are listed by id.",
      payload: Keys,
    },
    "edges:updated": { description: "Attributes of edges changed.", payload: Keys },
    "edges:deleted": { description: "Edges were deleted.", payload: Keys },
    "acl:delegation_changed": {
      description:
        "What a principal gives an agent changed; of its own grants where both are the same. Ids are keys such as account:ada.",
      payload: Exact({ principalId: Id, agentId: Id }),
    },
  },
  streams: {
    "call-protocol": {
      description: "Every event of every call.",
      consumers: ["flowgraph projector", "observability"],
      payload: CallEvent,
    },
    "session-events": {
      description: "Life of sessions.",
      consumers: ["session manager", "audit"],
      payload: Exact({
        type: Type.Union([
          Type.Literal("session.started"),
          Type.Literal("session.updated"),
          Type.Literal("session.ended"),
        ]),
        sessionId: Id,
        accountId: Type.Optional(Id),
        details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        at: Timestamp,
      }),
    },
  },
  queues: {
    "acl-evaluation": {
      description:
        "Identities are evaluated anew after a change. Ids are keys such as account:ada.",
      consumers: ["ACL evaluator"],
      payload: Exact({ principalId: Id, agentId: Type.Optional(Id) }),
    },
    "secret-rotation": {
      description: "Secrets are encrypted again with a newer key.",
      consumers: ["key service"],
      payload: Exact({
        toKeyVersion: Type.Integer({ minimum: 1 }),
        batchSize: Type.Integer({ minimum: 1, maximum: 10_000 }),
        /** Where the batch before ended: the id of its last node. */
        afterNodeId: Type.Optional(Id),
        /** Instead, once the nodes are done: the id of its last edge. */
        afterEdgeId: Type.Optional(Id),
      }),
    },
    "graph-maintenance": {
      description: "Archival of graphs and clean-up after their retention.",
      consumers: ["maintenance service"],
      payload: Type.Union([
        Exact({ task: Type.Literal("archive-graph"), graphId: Id }),
        Exact({
          task: Type.Literal("cleanup-expired-graphs"),
          olderThanDays: Type.Integer({ minimum: 1 }),
        }),
        Exact({ task: Type.Literal("prune-events") }),
      ]),
    },
    "schema-migration": {
      description: "Data of a graph type is brought to a new version of its schema.",
      consumers: ["migration service"],
      payload: Exact({
        graphTypeId: Id,
        fromVersion: Type.Integer({ minimum: 0 }),
        toVersion: Type.Integer({ minimum: 0 }),
      }),
    },
  },
} as const satisfies Catalog;
