import { identifier, type SourceSchema } from "./source-schema.ts";

/** A table in a query: its name and what it is called there. */
export interface Aliased {
  readonly table: string;
  readonly alias: string;
}

/** A column as PostgreSQL writes it, NULL where the table has no such column. */
export function textOf(schema: SourceSchema, { table, alias }: Aliased, column: string): string {
  if (!schema.has(table, column)) return "NULL::text";
  const value = `${alias}.${identifier(column)}`;
  return schema.typeOf(table, column) === "bytea" ? `encode(${value}, 'hex')` : `${value}::text`;
}

/**
 * A moment as whole seconds since 1970, rounded down; `infinity` and `-infinity` as such. One without a
 * time zone is taken as UTC.
 */
export function secondsOf(schema: SourceSchema, { table, alias }: Aliased, column: string): string {
  if (!schema.has(table, column)) return "NULL::text";
  const value = `${alias}.${identifier(column)}`;
  const type = schema.typeOf(table, column) ?? "";
  if (!isMoment(type)) return `${value}::text`;
  return `CASE WHEN isfinite(${value}) THEN floor(extract(epoch from ${value}))::bigint::text ELSE ${value}::text END`;
}

/**
 * Columns of a row as the text of a JSON object, with no number rounded: numeric as decimal strings,
 * integers beyond 2^53 too, bytes as base64, moments as ISO 8601 in UTC with microseconds, arrays with
 * their nulls, json and jsonb as they are, everything else as PostgreSQL writes it.
 *
 * @param members name of the property and of the column; `optional` leaves out nulls
 */
export function jsonObjectOf(
  schema: SourceSchema,
  from: Aliased,
  members: readonly {
    readonly name: string;
    readonly column: string;
    readonly optional?: boolean;
  }[],
): string {
  const parts = members.map(({ name, column, optional = false }) => {
    const value = `${from.alias}.${identifier(column)}`;
    const json = jsonOf(value, schema.typeOf(from.table, column) ?? "text");
    const member = `${literal(`${JSON.stringify(name)}:`)} || ${json}`;
    return optional
      ? `CASE WHEN ${value} IS NOT NULL THEN ${member} END`
      : `coalesce(${member}, ${literal(`${JSON.stringify(name)}:null`)})`;
  });
  return parts.length === 0 ? "'{}'" : `'{' || concat_ws(',', ${parts.join(", ")}) || '}'`;
}

/** NULL stays NULL. */
function jsonOf(value: string, type: string): string {
  switch (type) {
    case "json":
    case "jsonb":
      return `${value}::text`;
    case "bool":
    case "int2":
    case "int4":
      return `to_json(${value})::text`;
    case "int8":
      return `CASE WHEN ${value} BETWEEN -9007199254740991 AND 9007199254740991
        THEN ${value}::text ELSE to_json(${value}::text)::text END`;
    case "float4":
    case "float8":
      return `CASE WHEN ${value}::text IN ('NaN', 'Infinity', '-Infinity')
        THEN to_json(${value}::text)::text ELSE ${value}::text END`;
    case "bytea":
      return `to_json(translate(encode(${value}, 'base64'), E'\\n', ''))::text`;
    default:
      break;
  }
  if (isMoment(type)) return `to_json(${isoOf(value, type)})::text`;
  if (EXACT_ARRAYS.has(type)) return `to_json(${value})::text`;
  if (type.startsWith("_")) return `to_json(${value}::text[])::text`;
  return `to_json(${value}::text)::text`;
}

/** Arrays whose items JSON holds as they are. */
const EXACT_ARRAYS = new Set(["_text", "_varchar", "_bool", "_int2", "_int4", "_uuid"]);

function isoOf(value: string, type: string): string {
  const utc = type === "timestamptz" ? `${value} AT TIME ZONE 'UTC'` : value;
  return `CASE WHEN isfinite(${value}) AND extract(year from ${utc}) BETWEEN 1 AND 9999
    THEN to_char(${utc}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') ELSE ${value}::text END`;
}

function isMoment(type: string): boolean {
  return type === "timestamptz" || type === "timestamp" || type === "date";
}

/** A text for SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
