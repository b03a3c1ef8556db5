import type { SqlInput } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { type AttributePath, jsonPathLiteral } from "./attribute-path.ts";
import { kindOf } from "./check-row.ts";
import { isPlain } from "./json-value.ts";

/** A value to compare an attribute with. Texts, numbers and booleans are never equal to one another. */
export type Scalar = string | number | boolean | null;

/** What must hold for an attribute; several of them all. */
export interface Condition {
  readonly eq?: Scalar;
  readonly in?: readonly Scalar[];
  readonly gt?: string | number;
  readonly gte?: string | number;
  readonly lt?: string | number;
  readonly lte?: string | number;
  /** True: it is there and null. False: it is there and not null. */
  readonly isNull?: boolean;
  /** Whether it is there at all, null or not. */
  readonly exists?: boolean;
}

/** Conditions by attribute, all of which must hold: `{ status: "open", "size.width": { gt: 3 } }`. */
export type Where = Readonly<Record<AttributePath, Scalar | Condition>>;

/** A piece of SQL and the values of its parameters. */
export interface SqlPart {
  readonly sql: string;
  readonly params: readonly SqlInput[];
}

/**
 * Conditions as SQL. `json_extract` is what an index answers; it makes 1 of `true`, and texts and numbers
 * compare in SQLite, so `json_type` decides beside it. `+?`: see ADR-061.
 *
 * @throws StorageError `INVALID_ARGUMENT`
 */
export function whereSql(where: Where = {}): SqlPart {
  if (!isPlain(where)) throw refused("where", `is ${kindOf(where)}, not an object`);
  const parts: SqlPart[] = [];
  for (const [path, wanted] of Object.entries(where)) {
    const literal = jsonPathLiteral(path);
    const attribute: Attribute = {
      path,
      value: `json_extract(attributes, ${literal})`,
      type: `json_type(attributes, ${literal})`,
    };
    const condition = isPlain(wanted) ? (wanted as Condition) : { eq: wanted as Scalar };
    parts.push(...conditionParts(attribute, condition));
  }
  return { sql: parts.map(({ sql }) => ` AND ${sql}`).join(""), params: paramsOf(parts) };
}

/** The values of several parts in order. */
export function paramsOf(parts: readonly SqlPart[]): readonly SqlInput[] {
  return parts.flatMap(({ params }) => params);
}

interface Attribute {
  readonly path: string;
  readonly value: string;
  readonly type: string;
}

const COMPARISONS: Readonly<Record<string, string>> = { gt: ">", gte: ">=", lt: "<", lte: "<=" };

function conditionParts(attribute: Attribute, condition: Condition): readonly SqlPart[] {
  const entries = Object.entries(condition).filter(([, wanted]) => wanted !== undefined);
  if (entries.length === 0) throw refused(attribute.path, "has no condition");
  return entries.map(([operator, wanted]) => {
    const comparison = COMPARISONS[operator];
    if (comparison !== undefined && Object.hasOwn(COMPARISONS, operator)) {
      return compared(attribute, comparison, wanted);
    }
    switch (operator) {
      case "eq":
        return oneOf(attribute, [wanted]);
      case "in":
        if (!Array.isArray(wanted)) {
          throw refused(attribute.path, `: "in" is ${kindOf(wanted)}, not an array`);
        }
        return oneOf(attribute, wanted);
      case "isNull": {
        const is = flag(attribute, operator, wanted);
        return constant(`${attribute.type} ${is ? "=" : "<>"} 'null'`);
      }
      case "exists": {
        const is = flag(attribute, operator, wanted);
        return constant(`${attribute.type} IS ${is ? "NOT " : ""}NULL`);
      }
      default:
        throw refused(attribute.path, `: there is no condition "${operator}"`);
    }
  });
}

function compared({ path, value, type }: Attribute, comparison: string, wanted: unknown): SqlPart {
  if (typeof wanted !== "string" && typeof wanted !== "number") {
    throw refused(path, `is compared with ${kindOf(wanted)}, not a text or number`);
  }
  const kind = typeOfScalar(wanted, path);
  return { sql: `(${value} ${comparison} +? AND ${typeIs(type, kind)})`, params: [wanted] };
}

/** Alternatives by kind, each of which an index answers. */
function oneOf({ path, value, type }: Attribute, wanted: readonly unknown[]): SqlPart {
  const byKind = new Map<ScalarKind, Scalar[]>();
  for (const one of wanted) {
    const kind = typeOfScalar(one, path);
    byKind.set(kind, [...(byKind.get(kind) ?? []), one as Scalar]);
  }
  const parts = [...byKind].map(([kind, values]): SqlPart => {
    // IS finds null, unlike =, and is planned like it, unlike IS NULL; absence looks the same to it
    if (kind === "null") return { sql: `(${value} IS +? AND ${type} = 'null')`, params: [null] };
    const numbers = values.map((one) => (typeof one === "boolean" ? Number(one) : one));
    const [only] = numbers;
    return numbers.length === 1
      ? { sql: `(${value} = +? AND ${typeIs(type, kind)})`, params: [only as string | number] }
      : {
          sql: `(${value} IN (SELECT value FROM json_each(?)) AND ${typeIs(type, kind)})`,
          params: [JSON.stringify(numbers)],
        };
  });
  const [first] = parts;
  if (first === undefined) return constant("0");
  if (parts.length === 1) return first;
  return { sql: `(${parts.map(({ sql }) => sql).join(" OR ")})`, params: paramsOf(parts) };
}

type ScalarKind = "text" | "number" | "boolean" | "null";

function typeOfScalar(value: unknown, path: string): ScalarKind {
  switch (typeof value) {
    case "string":
      // SQLite would look for another text
      if (!value.isWellFormed()) throw refused(path, "is compared with half a surrogate pair");
      return "text";
    case "boolean":
      return "boolean";
    case "number":
      if (Number.isFinite(value)) return "number";
      throw refused(path, `is compared with ${value}`);
    default:
      if (value === null) return "null";
      throw refused(path, `is compared with ${kindOf(value)}, not a text, number, boolean or null`);
  }
}

function typeIs(type: string, kind: ScalarKind): string {
  switch (kind) {
    case "number":
      return `${type} IN ('integer', 'real')`;
    case "boolean":
      return `${type} IN ('true', 'false')`;
    default:
      return `${type} = '${kind}'`;
  }
}

function flag({ path }: Attribute, operator: string, wanted: unknown): boolean {
  if (typeof wanted === "boolean") return wanted;
  throw refused(path, `: "${operator}" is ${kindOf(wanted)}, not a boolean`);
}

function constant(sql: string): SqlPart {
  return { sql, params: [] };
}

function refused(path: string, why: string): StorageError {
  return new StorageError("INVALID_ARGUMENT", `the filter of "${path}" ${why}`);
}
