import type { SqlInput } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { type AttributePath, attributeSteps, jsonPathLiteral } from "./attribute-path.ts";
import type { Position } from "./paging.ts";
import type { StoredRow } from "./rows.ts";
import type { SqlPart } from "./where.ts";

/** An attribute to order a list by, and which way. Rows without it come first, or last when descending. */
export interface OrderBy {
  readonly attribute: AttributePath;
  /** Default `asc`. */
  readonly direction?: "asc" | "desc";
}

/** An order as SQL. */
export interface Order {
  /** Names the order, for cursors. */
  readonly name: string;
  /** `ORDER BY …`. */
  readonly sql: string;
  /** The rows after a position. */
  readonly after: (position: readonly Position[]) => SqlPart;
  /** The position of a row: the value and the row's unique name. */
  readonly at: (row: StoredRow, unique: string) => readonly Position[];
}

/**
 * Order by one attribute, rows of equal values by `unique`, a column.
 *
 * @throws StorageError `INVALID_ARGUMENT`
 */
export function attributeOrder(orderBy: OrderBy, unique: string): Order {
  const { attribute, direction = "asc" } = orderBy;
  if (direction !== "asc" && direction !== "desc") {
    const given = String(direction);
    throw new StorageError("INVALID_ARGUMENT", `the direction "${given}" is not "asc" or "desc"`);
  }
  const steps = attributeSteps(attribute);
  const value = `json_extract(attributes, ${jsonPathLiteral(attribute)})`;
  const [beyond, nulls] =
    direction === "asc"
      ? [">", (key: Position): SqlPart => keyed(`(${value} IS NOT NULL OR ${unique} > +?)`, key)]
      : ["<", (key: Position): SqlPart => keyed(`(${value} IS NULL AND ${unique} < +?)`, key)];
  const orNull = direction === "asc" ? "" : ` OR ${value} IS NULL`;
  return {
    name: `${direction} ${steps.join("\0")}`,
    sql: `ORDER BY ${value} ${direction}, ${unique} ${direction}`,
    after: ([at = null, key = null]) => {
      if (at === null) return nulls(key);
      const [sql, param] = boundText(at);
      const same = `(${value} = ${sql} AND ${unique} ${beyond} +?)`;
      return {
        sql: `(${value} ${beyond} ${sql} OR ${same}${orNull})`,
        params: [param, param, key],
      };
    },
    at: ({ attributes }, key) => [sortValue(attributes, steps), key],
  };
}

/** Order by a column that is unique. */
export function columnOrder(column: string): Order {
  return {
    name: column,
    sql: `ORDER BY ${column}`,
    after: ([key = null]) => keyed(`${column} > +?`, key),
    at: (_row, key) => [key],
  };
}

function keyed(sql: string, key: Position): SqlPart {
  return { sql, params: [key] };
}

/**
 * A value as it is bound. A text with half a surrogate pair cannot be: the driver would replace it, and the
 * list would give the same page again. SQLite has it as three bytes, and compares bytes.
 */
function boundText(value: string | number): readonly [sql: string, param: SqlInput] {
  if (typeof value === "number" || value.isWellFormed()) return ["+?", value];
  const bytes = Array.from(value, (character) => {
    const code = character.codePointAt(0) as number;
    return character.isWellFormed()
      ? Buffer.from(character)
      : Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]);
  });
  return ["+CAST(? AS TEXT)", Buffer.concat(bytes)];
}

/** What SQLite's `json_extract` makes of an attribute. */
function sortValue(attributes: unknown, steps: readonly string[]): Position {
  let value: unknown = attributes;
  for (const step of steps) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    value = Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : undefined;
  }
  switch (typeof value) {
    case "string":
    case "number":
      return value;
    case "boolean":
      return Number(value);
    case "object":
      return value === null ? null : JSON.stringify(value);
    default:
      return null;
  }
}
