import { Type } from "@sinclair/typebox";
import type { EdgeInput } from "../../graph-store/inputs.ts";
import type { JsonObject } from "../../tables/common.ts";
import { edges, edgeType } from "../../tables/metagraph/edges.ts";
import { findRow, requireRow } from "../find-row.ts";
import type { RowWrites } from "../row-writes.ts";
import { defineTable } from "../table-definition.ts";
import { tableOperations } from "../table-operations.ts";
import { createSpec, deleteSpec, findSpec, listSpec, updateSpec } from "../table-specs.ts";
import { writing } from "../write-errors.ts";
import { expectationOf, requireNotAcl, revisionOf, storeOf, typeNameOf } from "./graph-writes.ts";

const Text = Type.String({ minLength: 1 });
const Key = Type.String({ minLength: 1, maxLength: 512 });
const definition = defineTable(edges, {
  noun: "an edge",
  create: [
    "graphId",
    "key",
    "sourceNodeKey",
    "targetNodeKey",
    "attributes",
    "undirected",
    "metadata",
  ],
  update: ["attributes", "metadata"],
  keys: [["graphId", "key"]],
  refine: { graphId: Text, key: Key, sourceNodeKey: Text, targetNodeKey: Text },
  createExtra: { type: Text },
  computed: { type: typeNameOf(edgeType), revision: revisionOf(edges.metadata) },
  revisions: true,
});

interface EdgeRow {
  readonly id: string;
  readonly graphId: string;
  readonly key: string | null;
  readonly attributes: JsonObject;
}

const writes: RowWrites = {
  create(db, { graphId, sourceNodeKey, targetNodeKey, key, ...input }) {
    requireNotAcl(graphId);
    const edge = {
      ...input,
      ...(key === null || key === undefined ? {} : { key }),
      source: sourceNodeKey,
      target: targetNodeKey,
    } as unknown as EdgeInput;
    const graph = storeOf(db).graph(graphId as string);
    const [id] = writing(edges, "create", () => graph.insertEdges([edge]));
    return id as string;
  },
  update(db, change) {
    const row = requireRow(db, definition, change.id) as unknown as EdgeRow;
    requireNotAcl(row.graphId);
    const replacement = { attributes: row.attributes, ...change.changes };
    const graph = storeOf(db).graph(row.graphId);
    graph.replaceEdge(row.key ?? row.id, replacement, expectationOf(change));
  },
  delete(db, id) {
    const row = findRow(db, definition, { id }) as EdgeRow | null;
    if (row === null) return false;
    requireNotAcl(row.graphId);
    return (
      storeOf(db)
        .graph(row.graphId)
        .deleteEdges([row.key ?? row.id]) > 0
    );
  },
};

const RULES = ["NOT_FOUND", "INVALID_ATTRIBUTES", "MIGRATION_STATE"] as const;

/** Operations of edges, through the graph store. `attributes` of an update replace what is there. */
export const edgeSpecs = [
  createSpec(definition, { errors: [...RULES, "EDGE_NOT_ALLOWED", "QUOTA_EXCEEDED"] }),
  findSpec(definition),
  listSpec(definition),
  updateSpec(definition, { errors: [...RULES, "CONFLICT"] }),
  deleteSpec(definition, { errors: ["NOT_FOUND", "MIGRATION_STATE"] }),
] as const;

/** {@link edgeSpecs} with their handlers. */
export const edgeOperations = tableOperations(definition, edgeSpecs, writes);
