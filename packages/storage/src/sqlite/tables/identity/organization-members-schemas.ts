import type { Static } from "@sinclair/typebox";
import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
} from "../../schema-utils/table-schemas.ts";
import { jsonObject } from "../refinements.ts";
import { organizationMembers } from "./organization-members.ts";

/** What the database asks of the columns beyond their types; for schemas in another form too. */
export const organizationMemberRefinements = {
  metadata: jsonObject,
} as const;

/** A membership as it is read. */
export const SelectOrganizationMemberSchema = createSelectSchema(
  organizationMembers,
  organizationMemberRefinements,
);
/** {@link SelectOrganizationMemberSchema} as a type. */
export type SelectOrganizationMember = Static<typeof SelectOrganizationMemberSchema>;

/** A membership as it is inserted. */
export const InsertOrganizationMemberSchema = createInsertSchema(
  organizationMembers,
  organizationMemberRefinements,
);
/** {@link InsertOrganizationMemberSchema} as a type. */
export type InsertOrganizationMember = Static<typeof InsertOrganizationMemberSchema>;

/** Changes to a membership. */
export const UpdateOrganizationMemberSchema = createUpdateSchema(
  organizationMembers,
  organizationMemberRefinements,
);
/** {@link UpdateOrganizationMemberSchema} as a type. */
export type UpdateOrganizationMember = Static<typeof UpdateOrganizationMemberSchema>;
