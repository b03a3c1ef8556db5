import { type TSchema, Type } from "@sinclair/typebox";
import { pointer } from "../schema/json-schema.ts";
import { type Compare, isSafe, type SchemaChange } from "./change.ts";

interface Context {
  readonly path: string;
  readonly compare: Compare;
}

/** The differences between two object types: their properties, and what else they let through. */
export function compareObjects(
  old: TSchema,
  now: TSchema,
  context: Context,
): readonly SchemaChange[] {
  const [before, after] = [objectOf(old), objectOf(now)];
  const changes: SchemaChange[] = [];
  for (const name of new Set([...before.properties.keys(), ...after.properties.keys()])) {
    const path = pointer(context.path, name);
    const [was, is] = [before.properties.get(name), after.properties.get(name)];
    if (was !== undefined && is !== undefined) {
      changes.push(...context.compare(was, is, path));
      changes.push(...requirement(before.required.has(name), after.required.has(name), path));
    } else if (is !== undefined) {
      changes.push(
        added(is, {
          path,
          required: after.required.has(name),
          rest: before.rest,
          compare: context.compare,
        }),
      );
    } else if (was !== undefined) {
      changes.push(removed(was, { path, rest: after.rest, compare: context.compare }));
    }
  }
  return [...changes, ...restChanges(before.rest, after.rest, context)];
}

interface ObjectType {
  readonly properties: ReadonlyMap<string, TSchema>;
  readonly required: ReadonlySet<string>;
  /** What properties that are not named may hold; null for none. */
  readonly rest: TSchema | null;
}

const ANYTHING: TSchema = Type.Unknown();

function objectOf(schema: TSchema): ObjectType {
  const rest: unknown = schema.additionalProperties ?? true;
  return {
    properties: new Map(Object.entries<TSchema>(schema.properties)),
    required: new Set((schema.required ?? []) as string[]),
    rest: rest === true ? ANYTHING : rest === false ? null : (rest as TSchema),
  };
}

function requirement(was: boolean, is: boolean, path: string): readonly SchemaChange[] {
  if (was === is) return [];
  return is
    ? [{ kind: "breaking", rule: "became-required", path, message: "was optional and is required" }]
    : [
        {
          kind: "additive",
          rule: "became-optional",
          path,
          message: "was required and is optional",
        },
      ];
}

interface Place extends Context {
  readonly rest: TSchema | null;
}

function added(
  schema: TSchema,
  { path, required, rest, compare }: Place & { readonly required: boolean },
): SchemaChange {
  if (required) {
    const message = "is new and required, so that stored values lack it";
    return { kind: "breaking", rule: "required-property-added", path, message };
  }
  const rule = "property-added";
  if (rest === null) return { kind: "additive", rule, path, message: "is new and optional" };
  if (isSafe(compare(rest, schema, path))) {
    return { kind: "additive", rule, path, message: "is new and optional" };
  }
  if (rest === ANYTHING) {
    const message =
      "is new and optional; the object was open, so stored values may have it already";
    return { kind: "additive", rule, path, message, dependsOnData: true };
  }
  const message = "is new, and other properties could hold what it does not take";
  return { kind: "breaking", rule, path, message };
}

function removed(schema: TSchema, { path, rest, compare }: Place): SchemaChange {
  const rule = "property-removed";
  if (rest !== null && isSafe(compare(schema, rest, path))) {
    const message = "is no longer named; stored values keep it as an extra property";
    return { kind: "additive", rule, path, message };
  }
  return {
    kind: "breaking",
    rule,
    path,
    message: "is gone, and stored values that have it are refused",
  };
}

function restChanges(
  before: TSchema | null,
  after: TSchema | null,
  { path, compare }: Context,
): readonly SchemaChange[] {
  if (before === null && after === null) return [];
  if (before === null) {
    return [{ kind: "additive", rule: "opened", path, message: "takes other properties too" }];
  }
  if (after === null) {
    return [{ kind: "breaking", rule: "closed", path, message: "refuses other properties now" }];
  }
  return compare(before, after, pointer(path, "*"));
}
