import { type Static, Type } from "@sinclair/typebox";
import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
} from "../../schema-utils/table-schemas.ts";
import { jsonObject } from "../refinements.ts";
import { graphTypes } from "./graph-types.ts";

/** What the database asks of the columns beyond their types; for schemas in another form too. */
export const graphTypeRefinements = {
  metadata: jsonObject,
  config: jsonObject,
  version: () => Type.Integer({ minimum: 2, maximum: Number.MAX_SAFE_INTEGER }),
} as const;

/** A graph type as it is read. */
export const SelectGraphTypeSchema = createSelectSchema(graphTypes, graphTypeRefinements);
/** {@link SelectGraphTypeSchema} as a type. */
export type SelectGraphType = Static<typeof SelectGraphTypeSchema>;

/** A graph type as it is inserted. */
export const InsertGraphTypeSchema = createInsertSchema(graphTypes, graphTypeRefinements);
/** {@link InsertGraphTypeSchema} as a type. */
export type InsertGraphType = Static<typeof InsertGraphTypeSchema>;

/** Changes to a graph type. */
export const UpdateGraphTypeSchema = createUpdateSchema(graphTypes, graphTypeRefinements);
/** {@link UpdateGraphTypeSchema} as a type. */
export type UpdateGraphType = Static<typeof UpdateGraphTypeSchema>;
