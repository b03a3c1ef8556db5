import { Type } from "@sinclair/typebox";
import { graphTypes } from "../../tables/metagraph/graph-types.ts";
import { rowWrites } from "../row-writes.ts";
import { closed, defineTable } from "../table-definition.ts";
import { tableOperations } from "../table-operations.ts";
import { createSpec, deleteSpec, findSpec, listSpec, updateSpec } from "../table-specs.ts";
import { TypeName } from "./type-rules.ts";

/** As `graphConfig` makes it. */
const Config = closed({
  type: Type.Union([Type.Literal("directed"), Type.Literal("undirected"), Type.Literal("mixed")]),
  multi: Type.Boolean(),
  allowSelfLoops: Type.Boolean(),
});

const definition = defineTable(graphTypes, {
  noun: "a graph type",
  create: ["id", "name", "description", "scope", "metadata"],
  update: ["description", "metadata"],
  keys: [["name"]],
  refine: {
    id: Type.String({ minLength: 1 }),
    name: TypeName,
    scope: Type.Union([Type.Literal("tenant"), Type.Literal("user")]),
  },
  createExtra: { config: Config },
});

/**
 * Operations of graph types. System types are read-only. What decides about stored data, the configuration and
 * the version, changes only through `evolveGraphType`.
 */
export const graphTypeSpecs = [
  createSpec(definition),
  findSpec(definition),
  listSpec(definition),
  updateSpec(definition),
  deleteSpec(definition),
] as const;

/** {@link graphTypeSpecs} with their handlers. */
export const graphTypeOperations = tableOperations(
  definition,
  graphTypeSpecs,
  rowWrites(definition),
);
