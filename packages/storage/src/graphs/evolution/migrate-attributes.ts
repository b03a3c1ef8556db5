import { Kind, type TSchema } from "@sinclair/typebox";
import { type Edit, Value } from "@sinclair/typebox/value";
import { StorageError } from "../../errors.ts";
import { isPlainObject, type JsonSchema } from "../schema/json-schema.ts";
import { type ParsedSchema, parseSchema } from "../schema/parse-schema.ts";
import { schemaValidator } from "../schema/validator.ts";

/** A row's attributes. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Turns the attributes of one row into those of the next version; it must not change its argument. */
export type MigrateRow = (attributes: Attributes) => Attributes;

/** One step of a graph type's data, from an even version to the next. */
export interface Migration {
  /** The even version it leads to; it starts two below. */
  readonly to: number;
  /** By node type name (`call`). Types without a function only get defaults. */
  readonly nodes?: Readonly<Record<string, MigrateRow>>;
  /** By edge type name. */
  readonly edges?: Readonly<Record<string, MigrateRow>>;
}

/** How {@link migrateAttributes} brings one row to its new schema. */
export interface MigrateOptions {
  /** The schema of the new version, as it is stored. */
  readonly schema: JsonSchema;
  /** The consumer's own functions, applied first, in turn. Default none. */
  readonly migrations?: readonly MigrateRow[];
  /** What the row is called in errors: `node "task-1"`. */
  readonly subject: string;
}

/**
 * One row's attributes for a new schema: the consumer's function first, then `Value.Cast` for required
 * properties that are missing, then a check of the whole.
 *
 * Of what the cast does only this is taken: a missing property gets its schema's `default`, or the one
 * value it can have. `Value.Cast` also overwrites what does not fit and makes up texts and numbers; a row
 * that would need that is refused.
 *
 * @throws StorageError `MIGRATION_FAILED` naming the row and every path; nothing was written.
 */
export function migrateAttributes(attributes: Attributes, options: MigrateOptions): Attributes {
  const { schema, migrations = [], subject } = options;
  const validator = schemaValidator(schema);
  const migrated = migrations.reduce<Attributes>(
    (all, migrate) => apply(migrate, all, subject),
    attributes,
  );
  if (validator.check(migrated)) return migrated;
  const completed = complete(migrated, schema);
  if (completed !== null && validator.check(completed)) return completed;
  const issues = validator.errors(migrated);
  const listed = issues.slice(0, 5).map(({ path, message }) => `${path || "/"} ${message}`);
  throw new StorageError(
    "MIGRATION_FAILED",
    `${subject} does not fit the new schema: ${listed.join(", ")}`,
    {
      hint:
        migrations.length === 0
          ? "Defaults do not suffice; give the migration a function for this type"
          : "Correct the migration's function for this type",
      details: { subject, issues },
    },
  );
}

function apply(migrate: MigrateRow, attributes: Attributes, subject: string): Attributes {
  let result: unknown;
  try {
    result = migrate(structuredClone(attributes));
  } catch (cause) {
    throw new StorageError("MIGRATION_FAILED", `the migration of ${subject} threw`, { cause });
  }
  if (isPlainObject(result)) return result;
  throw new StorageError("MIGRATION_FAILED", `the migration of ${subject} returned no attributes`, {
    hint: "Return the new attributes; it must not be asynchronous",
  });
}

/** The attributes with defaults filled in, or null where more than that would change. */
function complete(attributes: Attributes, schema: JsonSchema): Attributes | null {
  const parsed = parseSchema(schema);
  let cast: unknown;
  let edits: readonly Edit[];
  try {
    cast = Value.Cast(parsed.root, parsed.references, structuredClone(attributes));
    edits = Value.Diff(attributes, cast);
  } catch {
    // a missing property of which Cast cannot make up a value
    return null;
  }
  const filledIn = edits.every(
    ({ type, path }) => type === "insert" && hasDefault(parsed.root, parsed, path),
  );
  return filledIn ? (cast as Attributes) : null;
}

/** True where the property at `path` has a default, or can only have one value. */
function hasDefault(root: TSchema, { references }: ParsedSchema, path: string): boolean {
  let schema: TSchema | undefined = root;
  for (const step of path.split("/").slice(1)) {
    schema = resolve(schema, references);
    const isList: boolean = schema?.[Kind] === "Array";
    schema = isList ? schema?.items : schema?.properties?.[unescapeStep(step)];
    if (schema === undefined) return false;
  }
  const found = resolve(schema, references);
  const declared = schema?.default !== undefined || found?.default !== undefined;
  return declared || found?.[Kind] === "Literal" || found?.[Kind] === "Null";
}

function resolve(schema: TSchema | undefined, references: readonly TSchema[]): TSchema | undefined {
  let resolved = schema;
  while (resolved?.[Kind] === "Ref") {
    const id: unknown = resolved.$ref;
    resolved = references.find((reference) => reference.$id === id);
  }
  return resolved;
}

function unescapeStep(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}
