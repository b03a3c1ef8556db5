import type { Static } from "@sinclair/typebox";
import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
} from "../../schema-utils/table-schemas.ts";
import { jsonObject } from "../refinements.ts";
import { nodes } from "./nodes.ts";

/** What the database asks of the columns beyond their types; for schemas in another form too. */
export const nodeRefinements = {
  metadata: jsonObject,
  attributes: jsonObject,
} as const;

/** A node as it is read. */
export const SelectNodeSchema = createSelectSchema(nodes, nodeRefinements);
/** {@link SelectNodeSchema} as a type. */
export type SelectNode = Static<typeof SelectNodeSchema>;

/** A node as it is inserted. */
export const InsertNodeSchema = createInsertSchema(nodes, nodeRefinements);
/** {@link InsertNodeSchema} as a type. */
export type InsertNode = Static<typeof InsertNodeSchema>;

/** Changes to a node. */
export const UpdateNodeSchema = createUpdateSchema(nodes, nodeRefinements);
/** {@link UpdateNodeSchema} as a type. */
export type UpdateNode = Static<typeof UpdateNodeSchema>;
