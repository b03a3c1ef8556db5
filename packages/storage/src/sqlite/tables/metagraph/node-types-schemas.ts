import type { Static } from "@sinclair/typebox";
import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
} from "../../schema-utils/table-schemas.ts";
import { jsonObject } from "../refinements.ts";
import { nodeTypes } from "./node-types.ts";

/** What the database asks of the columns beyond their types; for schemas in another form too. */
export const nodeTypeRefinements = {
  metadata: jsonObject,
  schema: jsonObject,
} as const;

/** A node type as it is read. */
export const SelectNodeTypeSchema = createSelectSchema(nodeTypes, nodeTypeRefinements);
/** {@link SelectNodeTypeSchema} as a type. */
export type SelectNodeType = Static<typeof SelectNodeTypeSchema>;

/** A node type as it is inserted. */
export const InsertNodeTypeSchema = createInsertSchema(nodeTypes, nodeTypeRefinements);
/** {@link InsertNodeTypeSchema} as a type. */
export type InsertNodeType = Static<typeof InsertNodeTypeSchema>;

/** Changes to a node type. */
export const UpdateNodeTypeSchema = createUpdateSchema(nodeTypes, nodeTypeRefinements);
/** {@link UpdateNodeTypeSchema} as a type. */
export type UpdateNodeType = Static<typeof UpdateNodeTypeSchema>;
