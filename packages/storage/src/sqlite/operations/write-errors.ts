import { HonkerError } from "@alkdev/honker";
import { type Column, getTableColumns, getTableName } from "drizzle-orm";
import { StorageError, type StorageErrorCode } from "../../errors.ts";
import type { EntityTable } from "./table-definition.ts";

/** What was being done to a row. */
export type WriteAction = "create" | "update" | "delete";

/** Codes of what triggers say: their messages begin with a name and a colon. */
const BY_TRIGGER: Readonly<Record<string, StorageErrorCode>> = {
  graph_types_in_use: "IN_USE",
  system_graph_types_read_only: "READ_ONLY",
  audit_logs_append_only: "READ_ONLY",
  organizations_id_stays: "READ_ONLY",
  organization_members_identity_stays: "READ_ONLY",
  organization_members_owner: "READ_ONLY",
  // by the cascade of an account that still owns an organization
  "accounts.organization_members_owner": "IN_USE",
  quota_exceeded: "QUOTA_EXCEEDED",
};

/** Runs a write, and turns what the database refuses into errors that say so. */
export function writing<T>(table: EntityTable, action: WriteAction, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw refusalOf(error, table, action) ?? error;
  }
}

/** The error to show for what a constraint or a trigger refused; null for anything else. */
function refusalOf(error: unknown, table: EntityTable, action: WriteAction): StorageError | null {
  if (!(error instanceof HonkerError) || error.code !== "CONSTRAINT") return null;
  const name = getTableName(table);
  const reason = error.cause instanceof Error ? error.cause.message : error.message;
  const refuse = (code: StorageErrorCode, message: string, details: object = {}): StorageError =>
    new StorageError(code, message, { cause: error, details: { table: name, ...details } });
  const unique = /^UNIQUE constraint failed: (.+)$/.exec(reason);
  if (unique !== null) {
    const columns = propertyNames(table, unique[1] as string);
    return refuse("ALREADY_EXISTS", `${name} has a row with this ${columns.join(" and ")}`, {
      columns,
    });
  }
  if (reason === "FOREIGN KEY constraint failed") {
    return action === "delete"
      ? refuse("IN_USE", `a row of ${name} cannot be deleted while others refer to it`)
      : refuse("REFERENCE_NOT_FOUND", `a row of ${name} refers to one that is not there`);
  }
  const check = /^CHECK constraint failed: (.+)$/.exec(reason);
  if (check !== null) {
    const constraint = check[1] as string;
    return refuse("INVALID_ARGUMENT", `${name} refuses a value: ${constraint}`, { constraint });
  }
  const trigger = /^(\w+): (.+)$/s.exec(reason);
  if (trigger !== null) {
    const [, rule = "", why = ""] = trigger;
    const code = BY_TRIGGER[`${name}.${rule}`] ?? BY_TRIGGER[rule] ?? "CONFLICT";
    return refuse(code, `${name}: ${why}`, { rule });
  }
  return refuse("INVALID_ARGUMENT", `${name} refuses a value`);
}

/** `api_keys.owner_id, api_keys.name` as property names. */
function propertyNames(table: EntityTable, columns: string): string[] {
  const known = Object.entries<Column>(getTableColumns(table));
  return columns.split(", ").map((column) => {
    const name = column.slice(column.indexOf(".") + 1);
    return known.find(([, { name: other }]) => other === name)?.[0] ?? name;
  });
}
