import { type Static, Type } from "@sinclair/typebox";
import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
} from "../../schema-utils/table-schemas.ts";
import { jsonObject, nonEmptyText } from "../refinements.ts";
import { organizations } from "./organizations.ts";

/** What the database asks of the columns beyond their types; for schemas in another form too. */
export const organizationRefinements = {
  metadata: jsonObject,
  name: nonEmptyText,
  slug: () => Type.String({ pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" }),
} as const;

/** An organization as it is read. */
export const SelectOrganizationSchema = createSelectSchema(organizations, organizationRefinements);
/** {@link SelectOrganizationSchema} as a type. */
export type SelectOrganization = Static<typeof SelectOrganizationSchema>;

/** An organization as it is inserted. */
export const InsertOrganizationSchema = createInsertSchema(organizations, organizationRefinements);
/** {@link InsertOrganizationSchema} as a type. */
export type InsertOrganization = Static<typeof InsertOrganizationSchema>;

/** Changes to an organization. */
export const UpdateOrganizationSchema = createUpdateSchema(organizations, organizationRefinements);
/** {@link UpdateOrganizationSchema} as a type. */
export type UpdateOrganization = Static<typeof UpdateOrganizationSchema>;
