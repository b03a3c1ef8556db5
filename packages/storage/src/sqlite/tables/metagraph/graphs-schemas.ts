import type { Static } from "@sinclair/typebox";
import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
} from "../../schema-utils/table-schemas.ts";
import { jsonObject } from "../refinements.ts";
import { graphs } from "./graphs.ts";

/** What the database asks of the columns beyond their types; for schemas in another form too. */
export const graphRefinements = {
  metadata: jsonObject,
} as const;

/** A graph as it is read. */
export const SelectGraphSchema = createSelectSchema(graphs, graphRefinements);
/** {@link SelectGraphSchema} as a type. */
export type SelectGraph = Static<typeof SelectGraphSchema>;

/** A graph as it is inserted. */
export const InsertGraphSchema = createInsertSchema(graphs, graphRefinements);
/** {@link InsertGraphSchema} as a type. */
export type InsertGraph = Static<typeof InsertGraphSchema>;

/** Changes to a graph. */
export const UpdateGraphSchema = createUpdateSchema(graphs, graphRefinements);
/** {@link UpdateGraphSchema} as a type. */
export type UpdateGraph = Static<typeof UpdateGraphSchema>;
