import type { Static } from "@sinclair/typebox";
import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
} from "../../schema-utils/table-schemas.ts";
import { jsonObject } from "../refinements.ts";
import { edges } from "./edges.ts";

/** What the database asks of the columns beyond their types; for schemas in another form too. */
export const edgeRefinements = {
  metadata: jsonObject,
  attributes: jsonObject,
} as const;

/** An edge as it is read. */
export const SelectEdgeSchema = createSelectSchema(edges, edgeRefinements);
/** {@link SelectEdgeSchema} as a type. */
export type SelectEdge = Static<typeof SelectEdgeSchema>;

/** An edge as it is inserted. */
export const InsertEdgeSchema = createInsertSchema(edges, edgeRefinements);
/** {@link InsertEdgeSchema} as a type. */
export type InsertEdge = Static<typeof InsertEdgeSchema>;

/** Changes to an edge. */
export const UpdateEdgeSchema = createUpdateSchema(edges, edgeRefinements);
/** {@link UpdateEdgeSchema} as a type. */
export type UpdateEdge = Static<typeof UpdateEdgeSchema>;
