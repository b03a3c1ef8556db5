import type {
  AccessControl,
  ErrorDefinition,
  OperationSpec,
  OperationType,
} from "@alkdev/operations";
import { type TSchema, type TUnsafe, Type } from "@sinclair/typebox";
import type { StorageErrorCode } from "../../errors.ts";
import { ENGINE_ERRORS } from "./engine-errors.ts";
import {
  type ListInput,
  type ListOutput,
  listInputSchema,
  listOutputSchema,
} from "./list-schema.ts";
import {
  type ChangesOf,
  type CreateOf,
  closed,
  type KeyOf,
  type RowOf,
  type TableDefinition,
} from "./table-definition.ts";

const VERSION = "1.0.0";
const Id = Type.String({ minLength: 1 });
const Details = Type.Record(Type.String(), Type.Unknown());

/** Codes that operations of tables can end with. */
const ERRORS = {
  NOT_FOUND: ["There is no row of that id.", 404],
  ALREADY_EXISTS: ["Another row has the same values of a unique key; `columns` names them.", 409],
  REFERENCE_NOT_FOUND: ["A value names a row that is not there.", 409],
  IN_USE: ["Other rows refer to this one.", 409],
  CONFLICT: ["The row is not as it was read.", 409],
  READ_ONLY: ["The row cannot be changed in this way.", 403],
  INVALID_ARGUMENT: ["A value is refused by a rule of the table.", 422],
  INVALID_SCHEMA: ["A JSON Schema is malformed, or uses what would not be enforced.", 422],
  INVALID_ATTRIBUTES: ["Attributes do not fit their type; `issues` lists every place.", 422],
  EDGE_NOT_ALLOWED: ["An edge may not join these nodes; `issues` says why.", 422],
  MIGRATION_STATE: ["The data of the graph type is being migrated; try again later.", 503],
  QUOTA_EXCEEDED: ["A quota of the tenant is used up.", 507],
} as const satisfies Partial<Record<StorageErrorCode, readonly [string, number]>>;

/** A code that operations of tables can end with. */
export type TableErrorCode = keyof typeof ERRORS;

/** Codes of a table beyond those that every table's writes have. */
export interface SpecOptions {
  readonly errors?: readonly TableErrorCode[];
}

const CREATE_ERRORS = [
  "ALREADY_EXISTS",
  "REFERENCE_NOT_FOUND",
  "INVALID_ARGUMENT",
  "READ_ONLY",
] as const;

type Spec<
  Input,
  Output,
  Type extends OperationType,
  Namespace extends string,
  Name extends string,
> = OperationSpec<TUnsafe<Input>, TUnsafe<Output>, Type, Namespace, Name>;

/** The spec of `create`. */
export function createSpec<Definition extends TableDefinition>(
  definition: Definition,
  { errors = [] }: SpecOptions = {},
): Spec<CreateOf<Definition>, RowOf<Definition>, "mutation", Definition["name"], "create"> {
  return spec(definition, {
    name: "create",
    type: "mutation",
    description: `Creates ${definition.noun} and returns it.`,
    inputSchema: definition.create,
    outputSchema: definition.row,
    errors: [...CREATE_ERRORS, ...errors],
  });
}

/** The spec of `find`: by id, or by another unique key. */
export function findSpec<Definition extends TableDefinition>(
  definition: Definition,
): Spec<KeyOf<Definition>, RowOf<Definition> | null, "query", Definition["name"], "find"> {
  const keys = [["id"], ...definition.keys];
  const inputs = keys.map((key) => closed(Object.fromEntries(key.map((name) => [name, Id]))));
  return spec(definition, {
    name: "find",
    type: "query",
    description: `Finds ${definition.noun} by ${keys.map((key) => key.join(" and ")).join(", or by ")}; null where there is none.`,
    inputSchema: Type.Union(inputs),
    outputSchema: Type.Union([definition.row, Type.Null()]),
    errors: [],
  });
}

/** The spec of `list`. */
export function listSpec<Definition extends TableDefinition>(
  definition: Definition,
): Spec<
  ListInput<RowOf<Definition>>,
  ListOutput<RowOf<Definition>>,
  "query",
  Definition["name"],
  "list"
> {
  return spec(definition, {
    name: "list",
    type: "query",
    description: `Lists rows of ${definition.name}, filtered and sorted, page by page.`,
    inputSchema: listInputSchema(definition),
    outputSchema: listOutputSchema(definition),
    errors: ["INVALID_ARGUMENT"],
  });
}

/** The spec of `update`. */
export function updateSpec<Definition extends TableDefinition>(
  definition: Definition,
  { errors = [] }: SpecOptions = {},
): Spec<
  {
    readonly id: string;
    readonly changes: ChangesOf<Definition>;
    readonly ifRevision?: number;
  },
  RowOf<Definition>,
  "mutation",
  Definition["name"],
  "update"
> {
  const revision = { ifRevision: Type.Optional(Type.Integer({ minimum: 1 })) };
  return spec(definition, {
    name: "update",
    type: "mutation",
    description: `Changes ${definition.noun} and returns it as it is then.`,
    inputSchema: closed({
      id: Id,
      changes: definition.changes,
      ...(definition.revisions ? revision : {}),
    }),
    outputSchema: definition.row,
    errors: ["NOT_FOUND", ...CREATE_ERRORS, ...errors],
  });
}

/** The spec of `delete`. */
export function deleteSpec<Definition extends TableDefinition>(
  definition: Definition,
  { errors = [] }: SpecOptions = {},
): Spec<
  { readonly id: string },
  { readonly deleted: boolean },
  "mutation",
  Definition["name"],
  "delete"
> {
  return spec(definition, {
    name: "delete",
    type: "mutation",
    description: `Deletes ${definition.noun}; \`deleted\` is false where there was none.`,
    inputSchema: closed({ id: Id }),
    outputSchema: closed({ deleted: Type.Boolean() }),
    errors: ["IN_USE", "READ_ONLY", ...errors],
  });
}

interface SpecParts {
  readonly name: string;
  readonly type: "query" | "mutation";
  readonly description: string;
  readonly inputSchema: TSchema;
  readonly outputSchema: TSchema;
  readonly errors: readonly TableErrorCode[];
}

function spec<Result extends OperationSpec>(
  definition: TableDefinition,
  { errors, ...parts }: SpecParts,
): Result {
  return {
    namespace: definition.name,
    version: VERSION,
    ...parts,
    accessControl: accessOf(definition.name, parts.type),
    tags: ["table"],
    errorSchemas: [...[...new Set(errors)].map(errorDefinition), ...ENGINE_ERRORS],
  } as OperationSpec as Result;
}

function accessOf(table: string, type: "query" | "mutation"): AccessControl {
  return { requiredScopes: [`${table}:${type === "query" ? "read" : "write"}`] };
}

function errorDefinition(code: TableErrorCode): ErrorDefinition {
  const [description, httpStatus] = ERRORS[code];
  return { code, description, schema: Details, httpStatus };
}
