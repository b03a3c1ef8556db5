import { Type } from "@sinclair/typebox";
import { eq } from "drizzle-orm";
import { StorageError } from "../../../errors.ts";
import type { GraphChanges } from "../../graph-store/change-graph.ts";
import type { GraphInput } from "../../graph-store/create-graph.ts";
import { graphTypes } from "../../tables/metagraph/graph-types.ts";
import { graphs } from "../../tables/metagraph/graphs.ts";
import type { AnyDatabase } from "../row-fields.ts";
import type { RowWrites } from "../row-writes.ts";
import { defineTable } from "../table-definition.ts";
import { tableOperations } from "../table-operations.ts";
import { createSpec, deleteSpec, findSpec, listSpec, updateSpec } from "../table-specs.ts";
import { writing } from "../write-errors.ts";
import { expectationOf, requireNotAcl, revisionOf, storeOf } from "./graph-writes.ts";

const Text = Type.String({ minLength: 1 });
const definition = defineTable(graphs, {
  noun: "a graph",
  create: ["id", "name", "description", "status", "ownerId", "projectId", "metadata"],
  update: ["name", "description", "status", "ownerId", "projectId", "metadata"],
  refine: { id: Text, name: Text, ownerId: Text, projectId: Text },
  createExtra: { graphTypeId: Text },
  computed: { revision: revisionOf(graphs.metadata) },
  revisions: true,
});

const writes: RowWrites = {
  create(db, { graphTypeId, ...input }) {
    requireNotAcl(input.id);
    const type = typeName(db, graphTypeId as string);
    return writing(graphs, "create", () =>
      storeOf(db).createGraph({ ...input, type } as GraphInput),
    ).id;
  },
  update(db, change) {
    requireNotAcl(change.id);
    storeOf(db).updateGraph(change.id, change.changes as GraphChanges, expectationOf(change));
  },
  delete(db, id) {
    requireNotAcl(id);
    return storeOf(db).deleteGraph(id);
  },
};

function typeName(db: AnyDatabase, id: string): string {
  const { name } = graphTypes;
  const type = db.select({ name }).from(graphTypes).where(eq(graphTypes.id, id)).get();
  if (type !== undefined) return type.name;
  throw new StorageError("REFERENCE_NOT_FOUND", `there is no graph type "${id}"`, {
    details: { table: "graphs", graphTypeId: id },
  });
}

/** Operations of graphs, through the graph store. Deleting one deletes its nodes and edges. */
export const graphSpecs = [
  createSpec(definition, { errors: ["QUOTA_EXCEEDED"] }),
  findSpec(definition),
  listSpec(definition),
  updateSpec(definition, { errors: ["CONFLICT"] }),
  deleteSpec(definition),
] as const;

/** {@link graphSpecs} with their handlers. */
export const graphOperations = tableOperations(definition, graphSpecs, writes);
