import type { Static } from "@sinclair/typebox";
import { createInsertSchema, createSelectSchema } from "../../schema-utils/table-schemas.ts";
import { jsonObject, nonEmptyText } from "../refinements.ts";
import { auditLogs } from "./audit-logs.ts";

/** What the database asks of the columns beyond their types; for schemas in another form too. */
export const auditLogRefinements = {
  metadata: jsonObject,
  action: nonEmptyText,
  details: jsonObject,
} as const;

/** An audit row as it is read. */
export const SelectAuditLogSchema = createSelectSchema(auditLogs, auditLogRefinements);
/** {@link SelectAuditLogSchema} as a type. */
export type SelectAuditLog = Static<typeof SelectAuditLogSchema>;

/** An audit row as it is inserted. */
export const InsertAuditLogSchema = createInsertSchema(auditLogs, auditLogRefinements);
/** {@link InsertAuditLogSchema} as a type. */
export type InsertAuditLog = Static<typeof InsertAuditLogSchema>;
