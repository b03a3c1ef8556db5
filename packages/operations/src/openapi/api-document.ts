import { pointerTo, valueAt } from "../schema/json-pointer.ts";
import { schemaError } from "../schema/schema-error.ts";
import { isJsonObject, type JsonObject, mapSubschemas } from "../schema/subschemas.ts";

/** Whether a schema is of what is sent or of what comes back: some properties are of one only. */
export type Direction = "input" | "output";

/** References follow each other at most so often. */
const MOST_REFERENCES = 32;
/** Deeper schemas are refused. */
const DEEPEST = 64;

/**
 * An OpenAPI document of 3.0 or 3.1, with its references followed. They lead inside the document only: what is
 * elsewhere would have to be fetched from wherever the document says.
 */
export class ApiDocument {
  readonly root: JsonObject;
  readonly #isOld: boolean;

  constructor(root: JsonObject) {
    this.root = root;
    this.#isOld = String(root.openapi).startsWith("3.0");
  }

  /**
   * An object, or what its `$ref` means.
   *
   * @throws OperationsError `INVALID_SCHEMA`
   */
  resolve(value: unknown): JsonObject {
    let current = value;
    for (let i = 0; i < MOST_REFERENCES; i += 1) {
      if (!isJsonObject(current)) return {};
      if (typeof current.$ref !== "string") return current;
      current = valueAt(this.root, localPointer(current.$ref, ""));
    }
    throw schemaError("", "holds references that go round in circles");
  }

  /**
   * Schemas by name, as JSON Schema that stands alone: what they refer to is below `$defs`.
   *
   * @throws OperationsError `INVALID_SCHEMA`
   */
  standAlone(schema: JsonObject, direction: Direction): JsonObject {
    return new Extraction(this.root, { direction, isOld: this.#isOld }).extract(schema);
  }
}

class Extraction {
  readonly #document: JsonObject;
  readonly #direction: Direction;
  readonly #isOld: boolean;
  /** Names below `$defs`, by place in the document. */
  readonly #names = new Map<string, string>();
  readonly #pending: string[] = [];

  constructor(
    document: JsonObject,
    { direction, isOld }: { readonly direction: Direction; readonly isOld: boolean },
  ) {
    this.#document = document;
    this.#direction = direction;
    this.#isOld = isOld;
  }

  extract(schema: JsonObject): JsonObject {
    const root = this.#visit(schema, "", 0);
    const $defs: Record<string, unknown> = {};
    for (let place = this.#pending.pop(); place !== undefined; place = this.#pending.pop()) {
      const target = valueAt(this.#document, place);
      if (target === undefined) throw schemaError("", `refers to "#${place}", which is nowhere`);
      $defs[this.#names.get(place) as string] = this.#visit(target, place, 0);
    }
    if (Object.keys($defs).length === 0 || !isJsonObject(root)) return root as JsonObject;
    return { ...root, $defs };
  }

  #visit(schema: unknown, path: string, depth: number): unknown {
    if (depth > DEEPEST) throw schemaError(path, `is nested deeper than ${DEEPEST} levels`);
    if (!isJsonObject(schema)) return schema;
    const copy = mapSubschemas(schema, path, (inner, at) => this.#visit(inner, at, depth + 1));
    if (typeof schema.$ref === "string") copy.$ref = this.#refer(schema.$ref, path);
    this.#leaveOut(copy, schema);
    return this.#isOld ? in2020(copy) : copy;
  }

  #refer(ref: string, path: string): string {
    const place = localPointer(ref, pointerTo(path, "$ref"));
    let name = this.#names.get(place);
    if (name === undefined) {
      name = `d${this.#names.size}`;
      this.#names.set(place, name);
      this.#pending.push(place);
    }
    return `#/$defs/${name}`;
  }

  /** What only the other side sends cannot be required here. */
  #leaveOut(copy: Record<string, unknown>, { required, properties }: JsonObject): void {
    if (!Array.isArray(required) || !isJsonObject(properties)) return;
    const flag = this.#direction === "input" ? "readOnly" : "writeOnly";
    copy.required = required.filter((name) => {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      return !(isJsonObject(property) && property[flag] === true);
    });
  }
}

/** OpenAPI 3.0 has its own words for null and for exclusive bounds. */
function in2020(schema: JsonObject): JsonObject {
  const { nullable, exclusiveMinimum, exclusiveMaximum, ...rest } = schema;
  const made: Record<string, unknown> = { ...rest };
  for (const [keyword, bound, value] of [
    ["exclusiveMinimum", "minimum", exclusiveMinimum],
    ["exclusiveMaximum", "maximum", exclusiveMaximum],
  ] as const) {
    if (typeof value === "number") made[keyword] = value;
    if (value !== true) continue;
    made[keyword] = made[bound];
    delete made[bound];
  }
  return nullable === true ? { anyOf: [made, { type: "null" }] } : made;
}

function localPointer(ref: string, path: string): string {
  if (!ref.startsWith("#/")) {
    throw schemaError(
      path,
      `is "${ref}", which is not in the document`,
      "Bundle the document first",
    );
  }
  try {
    return decodeURIComponent(ref.slice(1));
  } catch {
    return ref.slice(1);
  }
}
