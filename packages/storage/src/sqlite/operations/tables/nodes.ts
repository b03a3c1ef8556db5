import { Type } from "@sinclair/typebox";
import type { NodeInput } from "../../graph-store/inputs.ts";
import type { JsonObject } from "../../tables/common.ts";
import { nodes, nodeType } from "../../tables/metagraph/nodes.ts";
import { findRow, requireRow } from "../find-row.ts";
import type { RowWrites } from "../row-writes.ts";
import { defineTable } from "../table-definition.ts";
import { tableOperations } from "../table-operations.ts";
import { createSpec, deleteSpec, findSpec, listSpec, updateSpec } from "../table-specs.ts";
import { writing } from "../write-errors.ts";
import { expectationOf, requireNotAcl, revisionOf, storeOf, typeNameOf } from "./graph-writes.ts";

const Text = Type.String({ minLength: 1 });
const definition = defineTable(nodes, {
  noun: "a node",
  create: ["graphId", "key", "attributes", "metadata"],
  update: ["attributes", "metadata"],
  keys: [["graphId", "key"]],
  refine: { graphId: Text, key: Type.String({ minLength: 1, maxLength: 512 }) },
  createExtra: { type: Text },
  computed: { type: typeNameOf(nodeType), revision: revisionOf(nodes.metadata) },
  revisions: true,
});

interface NodeRow {
  readonly graphId: string;
  readonly key: string;
  readonly attributes: JsonObject;
}

const writes: RowWrites = {
  create(db, { graphId, ...input }) {
    requireNotAcl(graphId);
    const graph = storeOf(db).graph(graphId as string);
    const [id] = writing(nodes, "create", () => graph.insertNodes([input as unknown as NodeInput]));
    return id as string;
  },
  update(db, change) {
    const { graphId, key, attributes } = requireRow(
      db,
      definition,
      change.id,
    ) as unknown as NodeRow;
    requireNotAcl(graphId);
    const replacement = { attributes, ...change.changes };
    storeOf(db).graph(graphId).replaceNode(key, replacement, expectationOf(change));
  },
  delete(db, id) {
    const row = findRow(db, definition, { id }) as NodeRow | null;
    if (row === null) return false;
    requireNotAcl(row.graphId);
    return storeOf(db).graph(row.graphId).deleteNodes([row.key]) > 0;
  },
};

const RULES = ["NOT_FOUND", "INVALID_ATTRIBUTES", "MIGRATION_STATE"] as const;

/** Operations of nodes, through the graph store. `attributes` of an update replace what is there. */
export const nodeSpecs = [
  createSpec(definition, { errors: [...RULES, "QUOTA_EXCEEDED"] }),
  findSpec(definition),
  listSpec(definition),
  updateSpec(definition, { errors: [...RULES, "CONFLICT"] }),
  deleteSpec(definition, { errors: ["NOT_FOUND", "MIGRATION_STATE"] }),
] as const;

/** {@link nodeSpecs} with their handlers. */
export const nodeOperations = tableOperations(definition, nodeSpecs, writes);
