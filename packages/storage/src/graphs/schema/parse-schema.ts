import { FormatRegistry, type TSchema, Type } from "@sinclair/typebox";
import { checkGuarded } from "./check-guarded.ts";
import {
  ANNOTATIONS,
  INHERITED_NAMES,
  isPlainObject,
  type JsonType,
  KEYWORDS,
  pointer,
  schemaError,
} from "./json-schema.ts";
import {
  annotationsOf,
  counts,
  jsonType,
  list,
  literal,
  named,
  numbers,
  type Place,
  regularExpression,
  union,
} from "./keyword-values.ts";
import { definitionName, mayBeAbsent, present } from "./required-property.ts";

/** A JSON Schema as TypeBox understands it. */
export interface ParsedSchema {
  readonly root: TSchema;
  /** What references in it mean, each with its `$id`. */
  readonly references: TSchema[];
}

/** Deeper schemas are refused, so that neither parsing nor checking can exhaust the stack. */
const DEEPEST = 64;
/** The root's own id, for `{"$ref": "#"}`. */
const ROOT = "root";

/**
 * Reads a stored JSON Schema back into TypeBox, which needs type tags that JSON does not keep.
 *
 * It is strict, because stored schemas come from tenants and become code: a keyword that would not be
 * enforced, a value of the wrong type, a reference to nowhere, or a recursion that consumes nothing is
 * refused with its place. Ids of references are our own, never the schema's.
 *
 * @throws StorageError `INVALID_SCHEMA`.
 */
export function parseSchema(schema: unknown): ParsedSchema {
  return new SchemaParser().parse(schema);
}

class SchemaParser {
  /** Our id of every definition, by its name in the schema. */
  readonly #ids = new Map<string, string>();
  /** What is parsed, for what references in it mean. */
  #whole: Readonly<Record<string, unknown>> = {};
  #usesRoot = false;
  /** Schemas of further properties; see {@link SchemaParser.#apart}. */
  readonly #further: TSchema[] = [];

  parse(schema: unknown): ParsedSchema {
    if (!isPlainObject(schema)) throw schemaError("", "is not an object");
    const { $defs = {}, ...rest } = schema;
    if (!isPlainObject($defs)) throw schemaError("/$defs", "is not an object");
    this.#whole = schema;
    for (const name of Object.keys($defs)) this.#ids.set(name, `def${this.#ids.size}`);
    const references = Object.entries($defs).map(([name, definition]): TSchema => {
      const parsed = this.#schema(definition, pointer("/$defs", name), 0);
      return { ...parsed, $id: this.#ids.get(name) as string };
    });
    const anonymous = this.#schema(rest, "", 0);
    const root: TSchema = this.#usesRoot ? { ...anonymous, $id: ROOT } : anonymous;
    const all = [...references, ...this.#further];
    const parsed = { root, references: this.#usesRoot ? [...all, root] : all };
    checkGuarded(parsed);
    return parsed;
  }

  #schema(schema: unknown, path: string, depth: number): TSchema {
    if (depth > DEEPEST) throw schemaError(path, `is nested deeper than ${DEEPEST} levels`);
    if (schema === true) return Type.Unknown();
    if (schema === false) return Type.Never();
    if (!isPlainObject(schema)) throw schemaError(path, "is not a schema: an object or a boolean");
    const place: Place = { schema, path, depth, options: annotationsOf(schema, path) };
    const constraints = Object.keys(schema).filter((keyword) => !ANNOTATIONS.has(keyword));
    if (constraints.length === 0) return Type.Unknown(place.options);
    for (const form of FORMS) {
      if (schema[form] === undefined) continue;
      this.#only(
        place,
        form === "allOf" ? [form, "unevaluatedProperties", "type"] : [form, "type"],
      );
      return this.#form(form, place);
    }
    return this.#typed(place);
  }

  #form(form: (typeof FORMS)[number], place: Place): TSchema {
    const { schema, options, path } = place;
    refuseIdleType(form, place);
    switch (form) {
      case "$ref":
        return Type.Ref(this.#reference(schema.$ref, pointer(path, "$ref")), options);
      case "const":
        return literal(schema.const, pointer(path, "const"), options);
      case "enum": {
        const values = list(schema.enum, pointer(path, "enum"));
        return union(
          values.map((value, i) => literal(value, pointer(pointer(path, "enum"), i), {})),
          options,
        );
      }
      case "anyOf":
        return union(this.#list(place, "anyOf"), options);
      case "allOf":
        return Type.Intersect(this.#list(place, "allOf"), {
          ...options,
          ...this.#unevaluated(place),
        });
      case "not":
        return this.#not(place);
    }
  }

  #not({ schema, path, depth, options }: Place): TSchema {
    const not = schema.not;
    if (isPlainObject(not) && Object.keys(not).length === 0) return Type.Never(options);
    return Type.Not(this.#schema(not, pointer(path, "not"), depth + 1), options);
  }

  #unevaluated(place: Place): { unevaluatedProperties?: boolean | TSchema } {
    const value = place.schema.unevaluatedProperties;
    if (value === undefined || value === true) return {};
    if (value === false) return { unevaluatedProperties: false };
    const path = pointer(place.path, "unevaluatedProperties");
    return { unevaluatedProperties: this.#apart(this.#schema(value, path, place.depth + 1)) };
  }

  #typed(place: Place): TSchema {
    const { schema, path } = place;
    const { type } = schema;
    if (Array.isArray(type)) {
      const types = type.map((name) => jsonType(name, pointer(path, "type")));
      if (types.length === 0) throw schemaError(pointer(path, "type"), "is empty");
      this.#only(place, ["type", ...types.flatMap((name) => KEYWORDS[name])]);
      return union(
        types.map((name) => this.#ofType(name, { ...place, options: {} })),
        place.options,
      );
    }
    if (type === undefined) {
      const [keyword = ""] = Object.keys(schema).filter((name) => !ANNOTATIONS.has(name));
      const known = Object.values(KEYWORDS).some((keywords) =>
        (keywords as readonly string[]).includes(keyword),
      );
      throw schemaError(
        path,
        known
          ? `has "${keyword}" and no "type"`
          : `has the keyword "${keyword}", which is not supported`,
      );
    }
    const name = jsonType(type, pointer(path, "type"));
    this.#only(place, ["type", ...KEYWORDS[name]]);
    return this.#ofType(name, place);
  }

  #ofType(type: JsonType, place: Place): TSchema {
    const { options } = place;
    switch (type) {
      case "null":
        return Type.Null(options);
      case "boolean":
        return Type.Boolean(options);
      case "integer":
        return Type.Integer({ ...options, ...numbers(place, KEYWORDS.integer) });
      case "number":
        return Type.Number({ ...options, ...numbers(place, KEYWORDS.number) });
      case "string":
        return this.#string(place);
      case "array":
        return this.#array(place);
      case "object":
        return this.#object(place);
    }
  }

  #string(place: Place): TSchema {
    const { schema, path, options } = place;
    const { pattern, format } = schema;
    if (pattern !== undefined) regularExpression(pattern, pointer(path, "pattern"));
    if (format !== undefined && (typeof format !== "string" || !FormatRegistry.Has(format))) {
      throw schemaError(
        pointer(path, "format"),
        `is ${JSON.stringify(format)}, a format that nothing here checks`,
        "Register it in TypeBox's FormatRegistry before the schema is read, or use a pattern",
      );
    }
    return Type.String({
      ...options,
      ...counts(place, ["minLength", "maxLength"]),
      ...(pattern === undefined ? {} : { pattern: pattern as string }),
      ...(format === undefined ? {} : { format: format as string }),
    });
  }

  #array(place: Place): TSchema {
    const { schema, path, depth, options } = place;
    const { items, additionalItems, uniqueItems, contains } = schema;
    if (uniqueItems !== undefined && typeof uniqueItems !== "boolean") {
      throw schemaError(pointer(path, "uniqueItems"), "is not true or false");
    }
    if (contains === undefined || schema.minContains === 0) {
      // TypeBox takes neither as JSON Schema means it
      for (const keyword of ["minContains", "maxContains"]) {
        if (schema[keyword] !== undefined) {
          throw schemaError(pointer(path, keyword), 'needs a "contains" and a count from 1');
        }
      }
    }
    const bounds = counts(place, ["minItems", "maxItems"]);
    if (Array.isArray(items)) return this.#tuple(place, items, bounds);
    if (additionalItems !== undefined) {
      if (bounds.maxItems === 0 && items === undefined) return Type.Tuple([], options);
      throw schemaError(path, 'has "additionalItems" without a list of "items"');
    }
    return Type.Array(this.#schema(items ?? true, pointer(path, "items"), depth + 1), {
      ...options,
      ...bounds,
      ...counts(place, ["minContains", "maxContains"]),
      ...(uniqueItems === undefined ? {} : { uniqueItems }),
      ...(contains === undefined
        ? {}
        : { contains: this.#schema(contains, pointer(path, "contains"), depth + 1) }),
    });
  }

  #tuple(
    { schema, path, depth, options }: Place,
    items: readonly unknown[],
    { minItems, maxItems }: Readonly<Record<string, number>>,
  ): TSchema {
    const exact = minItems === items.length && (maxItems ?? items.length) === items.length;
    if (!exact || (maxItems === undefined && schema.additionalItems !== false)) {
      throw schemaError(path, 'is a tuple whose "minItems" and "maxItems" are not its length');
    }
    for (const keyword of ["uniqueItems", "contains", "minContains", "maxContains"]) {
      if (schema[keyword] !== undefined) throw schemaError(path, `is a tuple with "${keyword}"`);
    }
    const at = pointer(path, "items");
    return Type.Tuple(
      items.map((item, i) => this.#schema(item, pointer(at, i), depth + 1)),
      options,
    );
  }

  #object(place: Place): TSchema {
    const { schema, path, depth, options } = place;
    const patterns = named(schema.patternProperties, pointer(path, "patternProperties"));
    const all = {
      ...options,
      ...counts(place, ["minProperties", "maxProperties"]),
      ...this.#additional(place),
    };
    const [pattern, ...more] = Object.keys(patterns);
    if (pattern === undefined) return Type.Object(this.#properties(place), all);
    const others = ["properties", "required"].find((keyword) => schema[keyword] !== undefined);
    if (more.length > 0 || others !== undefined) {
      throw schemaError(
        pointer(path, "patternProperties"),
        `stands beside ${others === undefined ? "another pattern" : `"${others}"`}, which is not supported`,
      );
    }
    const at = pointer(pointer(path, "patternProperties"), pattern);
    regularExpression(pattern, at);
    return Type.Record(
      Type.String({ pattern }),
      this.#schema(patterns[pattern], at, depth + 1),
      all,
    );
  }

  #properties({ schema, path, depth }: Place): Record<string, TSchema> {
    const properties = named(schema.properties, pointer(path, "properties"));
    const required = list(schema.required ?? [], pointer(path, "required"));
    if (!required.every((name) => typeof name === "string")) {
      throw schemaError(pointer(path, "required"), "holds something that is not a name");
    }
    const names = new Set([...Object.keys(properties), ...(required as string[])]);
    return Object.fromEntries(
      [...names].map((name) => {
        const at = pointer(pointer(path, "properties"), name);
        if (INHERITED_NAMES.has(name)) {
          throw schemaError(at, "has a name that every JavaScript object inherits");
        }
        const property = this.#schema(properties[name] ?? true, at, depth + 1);
        if (!required.includes(name)) return [name, Type.Optional(property)];
        return [name, mayBeAbsent(properties[name], this.#whole) ? present(property) : property];
      }),
    );
  }

  #additional(place: Place): { additionalProperties?: boolean | TSchema } {
    const value = place.schema.additionalProperties;
    if (value === undefined || typeof value === "boolean") {
      return value === undefined ? {} : { additionalProperties: value };
    }
    const path = pointer(place.path, "additionalProperties");
    return { additionalProperties: this.#apart(this.#schema(value, path, place.depth + 1)) };
  }

  /**
   * Puts a schema of further properties among the references, which are compiled to functions of their
   * own: TypeBox names the property `key` in all of them, and one inside another would read the wrong one.
   */
  #apart(schema: TSchema): TSchema {
    const id = `further${this.#further.length}`;
    this.#further.push({ ...schema, $id: id });
    return Type.Ref(id);
  }

  #list({ schema, path, depth }: Place, keyword: string): TSchema[] {
    const at = pointer(path, keyword);
    const schemas = list(schema[keyword], at);
    if (schemas.length === 0) throw schemaError(at, "is empty");
    return schemas.map((item, i) => this.#schema(item, pointer(at, i), depth + 1));
  }

  #reference(ref: unknown, path: string): string {
    if (ref === "#") {
      this.#usesRoot = true;
      return ROOT;
    }
    const name = definitionName(ref);
    const id = name === undefined ? undefined : this.#ids.get(name);
    if (id === undefined) {
      throw schemaError(path, `is ${JSON.stringify(ref)}, which is not defined below "$defs"`);
    }
    return id;
  }

  #only({ schema, path }: Place, allowed: readonly string[]): void {
    for (const keyword of Object.keys(schema)) {
      if (ANNOTATIONS.has(keyword) || allowed.includes(keyword)) continue;
      throw schemaError(
        pointer(path, keyword),
        `is a keyword that is not supported beside "${allowed[0] === "type" ? `type": "${String(schema.type)}` : allowed[0]}"`,
      );
    }
  }
}

/** Keywords that make a schema of their own kind, whatever its type. */
const FORMS = ["$ref", "const", "enum", "anyOf", "allOf", "not"] as const;

/** A `type` beside a form is not checked on its own, so it must be what the form implies anyway. */
function refuseIdleType(form: (typeof FORMS)[number], { schema, path }: Place): void {
  const { type } = schema;
  if (type === undefined) return;
  const values = form === "const" ? [schema.const] : form === "enum" ? schema.enum : undefined;
  const members: unknown = form === "allOf" ? schema.allOf : [];
  const implied =
    values === undefined
      ? type === "object" &&
        Array.isArray(members) &&
        members.some((member) => isPlainObject(member) && member.type === "object")
      : Array.isArray(values) && values.every((value) => typesOf(value).includes(String(type)));
  if (!implied) throw schemaError(path, `has a "type" that its "${form}" does not imply`);
}

function typesOf(value: unknown): readonly string[] {
  if (value === null) return ["null"];
  if (typeof value !== "number") return [typeof value];
  return Number.isInteger(value) ? ["integer", "number"] : ["number"];
}
