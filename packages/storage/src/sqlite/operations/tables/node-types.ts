import { Type } from "@sinclair/typebox";
import { nodeTypes } from "../../tables/metagraph/node-types.ts";
import { nodeType } from "../../tables/metagraph/nodes.ts";
import { rowWrites } from "../row-writes.ts";
import { defineTable } from "../table-definition.ts";
import { tableOperations } from "../table-operations.ts";
import { createSpec, deleteSpec, findSpec, listSpec, updateSpec } from "../table-specs.ts";
import { checkNewType, requireUnused, TypeName } from "./type-rules.ts";

const Id = Type.String({ minLength: 1 });
const definition = defineTable(nodeTypes, {
  noun: "a node type",
  create: ["id", "graphTypeId", "name", "description", "schema", "metadata"],
  update: ["description", "metadata"],
  keys: [["graphTypeId", "name"]],
  refine: { id: Id, graphTypeId: Id, name: TypeName },
});

const writes = rowWrites(definition, {
  beforeCreate: checkNewType,
  beforeDelete: (db, row) => requireUnused(db, row, { table: "nodes", typeOf: nodeType }),
});

/** Operations of node types. A schema changes only through `evolveGraphType`, which looks at the data. */
export const nodeTypeSpecs = [
  createSpec(definition, { errors: ["INVALID_SCHEMA", "MIGRATION_STATE"] }),
  findSpec(definition),
  listSpec(definition),
  updateSpec(definition),
  deleteSpec(definition, { errors: ["MIGRATION_STATE"] }),
] as const;

/** {@link nodeTypeSpecs} with their handlers. */
export const nodeTypeOperations = tableOperations(definition, nodeTypeSpecs, writes);
