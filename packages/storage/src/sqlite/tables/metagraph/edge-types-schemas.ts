import type { Static } from "@sinclair/typebox";
import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
} from "../../schema-utils/table-schemas.ts";
import { jsonObject, names } from "../refinements.ts";
import { edgeTypes } from "./edge-types.ts";

/** What the database asks of the columns beyond their types; for schemas in another form too. */
export const edgeTypeRefinements = {
  metadata: jsonObject,
  schema: jsonObject,
  allowedSourceTypes: names,
  allowedTargetTypes: names,
} as const;

/** An edge type as it is read. */
export const SelectEdgeTypeSchema = createSelectSchema(edgeTypes, edgeTypeRefinements);
/** {@link SelectEdgeTypeSchema} as a type. */
export type SelectEdgeType = Static<typeof SelectEdgeTypeSchema>;

/** An edge type as it is inserted. */
export const InsertEdgeTypeSchema = createInsertSchema(edgeTypes, edgeTypeRefinements);
/** {@link InsertEdgeTypeSchema} as a type. */
export type InsertEdgeType = Static<typeof InsertEdgeTypeSchema>;

/** Changes to an edge type. */
export const UpdateEdgeTypeSchema = createUpdateSchema(edgeTypes, edgeTypeRefinements);
/** {@link UpdateEdgeTypeSchema} as a type. */
export type UpdateEdgeType = Static<typeof UpdateEdgeTypeSchema>;
