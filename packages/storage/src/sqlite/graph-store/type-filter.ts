import { StorageError } from "../../errors.ts";
import { sqlText } from "./attribute-path.ts";
import { kindOf } from "./check-row.ts";

/**
 * `AND …` for rows of one type; empty for any. The name stands in the statement as a literal, because a
 * partial index is used only where the statement itself shows that its condition holds.
 */
export function typeSql(key: "nodeType" | "edgeType", type: string | undefined): string {
  if (type === undefined) return "";
  if (typeof type !== "string" || type === "" || type.includes("\0")) {
    const given = typeof type === "string" ? `"${type}"` : kindOf(type);
    throw new StorageError("INVALID_ARGUMENT", `type is ${given}, not the name of a type`);
  }
  return ` AND ${typeExpression(key)} = ${sqlText(type)}`;
}

/** A row's type, as the indexes have it. `table` is its alias where there are several tables. */
export function typeExpression(key: "nodeType" | "edgeType", table?: string): string {
  const metadata = table === undefined ? "metadata" : `${table}.metadata`;
  return `json_extract(${metadata}, '$._metagraph.${key}')`;
}
