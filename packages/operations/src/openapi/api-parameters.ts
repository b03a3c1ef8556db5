import { schemaError } from "../schema/schema-error.ts";
import { isJsonObject, type JsonObject } from "../schema/subschemas.ts";
import type { ApiDocument } from "./api-document.ts";
import type { ApiParameter } from "./api-parameter.ts";

/** Headers that are the transport's affair. */
const IGNORED_HEADERS: ReadonlySet<string> = new Set(["accept", "content-type", "authorization"]);

/**
 * The parameters of an operation; those of later lists take the place of earlier ones.
 *
 * @throws OperationsError `INVALID_SCHEMA` for those that cannot be sent
 */
export function apiParameters(
  document: ApiDocument,
  lists: readonly unknown[],
): readonly ApiParameter[] {
  const byKey = new Map<string, JsonObject>();
  for (const parameter of lists.flatMap((list) => (Array.isArray(list) ? list : []))) {
    const resolved = document.resolve(parameter);
    byKey.set(`${resolved.in}:${resolved.name}`, resolved);
  }
  const properties = new Set<string>();
  return [...byKey.values()].flatMap((parameter): ApiParameter[] => {
    const { name, in: where } = parameter;
    if (typeof name !== "string") return [];
    if (where === "header" && IGNORED_HEADERS.has(name.toLowerCase())) return [];
    if (where === "cookie" && parameter.required !== true) return [];
    if (where !== "path" && where !== "query" && where !== "header") {
      throw schemaError(
        "",
        `has the parameter "${name}" in "${String(where)}", which is not supported`,
      );
    }
    return [readParameter(parameter, { name, in: where, properties })];
  });
}

function readParameter(
  parameter: JsonObject,
  place: {
    readonly name: string;
    readonly in: ApiParameter["in"];
    /** Those that are given away. */
    readonly properties: Set<string>;
  },
): ApiParameter {
  const { name, in: where, properties } = place;
  const ownStyle = where === "query" ? "form" : "simple";
  const style = typeof parameter.style === "string" ? parameter.style : ownStyle;
  const content = isJsonObject(parameter.content) ? Object.values(parameter.content)[0] : undefined;
  const holder = isJsonObject(content) ? content : parameter;
  const schema = isJsonObject(holder.schema) ? holder.schema : {};
  return {
    property: freeName(name, where, properties),
    name,
    in: where,
    required: where === "path" || parameter.required === true,
    schema: { ...schema, ...describedBy(parameter) },
    style,
    explode: typeof parameter.explode === "boolean" ? parameter.explode : style === "form",
    isJson: content !== undefined,
  };
}

/** The name itself; where it is taken, with its place: `query_id`. */
export function freeName(name: string, prefix: string, taken: Set<string>): string {
  let free = name;
  for (let i = 1; taken.has(free); i += 1) free = `${prefix}_${name}${i === 1 ? "" : i}`;
  taken.add(free);
  return free;
}

function describedBy({ description }: JsonObject): JsonObject {
  return typeof description === "string" ? { description } : {};
}
