import { Type } from "@sinclair/typebox";
import { edgeTypes } from "../../tables/metagraph/edge-types.ts";
import { edgeType } from "../../tables/metagraph/edges.ts";
import { rowWrites } from "../row-writes.ts";
import { defineTable } from "../table-definition.ts";
import { tableOperations } from "../table-operations.ts";
import { createSpec, deleteSpec, findSpec, listSpec, updateSpec } from "../table-specs.ts";
import { checkNewType, requireUnused, TypeName } from "./type-rules.ts";

const Id = Type.String({ minLength: 1 });
const definition = defineTable(edgeTypes, {
  noun: "an edge type",
  create: [
    "id",
    "graphTypeId",
    "name",
    "description",
    "schema",
    "allowedSourceTypes",
    "allowedTargetTypes",
    "metadata",
  ],
  update: ["description", "metadata"],
  keys: [["graphTypeId", "name"]],
  refine: {
    id: Id,
    graphTypeId: Id,
    name: TypeName,
    allowedSourceTypes: Type.Array(TypeName),
    allowedTargetTypes: Type.Array(TypeName),
  },
});

const writes = rowWrites(definition, {
  beforeCreate: checkNewType,
  beforeDelete: (db, row) => requireUnused(db, row, { table: "edges", typeOf: edgeType }),
});

/** Operations of edge types. A schema changes only through `evolveGraphType`, which looks at the data. */
export const edgeTypeSpecs = [
  createSpec(definition, { errors: ["INVALID_SCHEMA", "MIGRATION_STATE"] }),
  findSpec(definition),
  listSpec(definition),
  updateSpec(definition),
  deleteSpec(definition, { errors: ["MIGRATION_STATE"] }),
] as const;

/** {@link edgeTypeSpecs} with their handlers. */
export const edgeTypeOperations = tableOperations(definition, edgeTypeSpecs, writes);
