import { type Static, Type } from "@sinclair/typebox";
import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
} from "../../schema-utils/table-schemas.ts";
import { jsonObject } from "../refinements.ts";
import { accounts } from "./accounts.ts";

/** What the database asks of the columns beyond their types; for schemas in another form too. */
export const accountRefinements = {
  metadata: jsonObject,
  email: () => Type.String({ pattern: "^\\S(.*\\S)?$" }),
} as const;

/** An account as it is read. */
export const SelectAccountSchema = createSelectSchema(accounts, accountRefinements);
/** {@link SelectAccountSchema} as a type. */
export type SelectAccount = Static<typeof SelectAccountSchema>;

/** An account as it is inserted. */
export const InsertAccountSchema = createInsertSchema(accounts, accountRefinements);
/** {@link InsertAccountSchema} as a type. */
export type InsertAccount = Static<typeof InsertAccountSchema>;

/** Changes to an account. */
export const UpdateAccountSchema = createUpdateSchema(accounts, accountRefinements);
/** {@link UpdateAccountSchema} as a type. */
export type UpdateAccount = Static<typeof UpdateAccountSchema>;
