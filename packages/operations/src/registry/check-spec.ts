import { isConcreteScope } from "../access/scopes.ts";
import { CALL_ERROR_CODES, OperationsError } from "../errors.ts";
import { type OperationSpec, operationId } from "../operation-spec.ts";
import { isJsonPointer } from "../schema/json-pointer.ts";
import { isTypeBoxSchema, schemaProblem } from "../schema/validator.ts";

const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;
/** Names that promises and serializers ask every object for. */
const RESERVED_NAMES: ReadonlySet<unknown> = new Set(["then", "toJSON"]);
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;
const ERROR_CODE = /^[A-Z][A-Z0-9_]*$/;
const TYPES: ReadonlySet<unknown> = new Set(["query", "mutation", "subscription"]);

/**
 * Refuses a spec that is malformed, or whose access control does not say what it seems to.
 *
 * @throws OperationsError `INVALID_SPEC` with every problem in `details.problems`
 */
export function checkSpec(spec: OperationSpec): void {
  if (typeof spec !== "object" || spec === null) {
    throw new OperationsError("INVALID_SPEC", "an operation spec must be an object");
  }
  const problems = [
    ...nameProblems(spec),
    ...schemaProblems(spec),
    ...accessProblems(spec.accessControl),
    ...errorProblems(spec),
  ];
  if (problems.length === 0) return;
  const id = operationId(spec);
  throw new OperationsError("INVALID_SPEC", `operation "${id}": ${problems.join("; ")}`, {
    details: { operationId: id, problems },
  });
}

function* nameProblems(spec: OperationSpec): Generator<string> {
  for (const field of ["namespace", "name"] as const) {
    const value: unknown = spec[field];
    if (typeof value !== "string" || !NAME.test(value) || RESERVED_NAMES.has(value)) {
      yield `${field} must be letters, digits, "_" and "-", first a letter, and not "then" or "toJSON"`;
    }
  }
  if (typeof spec.version !== "string" || !VERSION.test(spec.version)) {
    yield 'version must be a semantic version such as "1.0.0"';
  }
  if (!TYPES.has(spec.type)) yield 'type must be "query", "mutation" or "subscription"';
  if (typeof spec.description !== "string" || spec.description === "") {
    yield "description must say what the operation does";
  }
}

function* schemaProblems(spec: OperationSpec): Generator<string> {
  for (const field of ["inputSchema", "outputSchema"] as const) {
    if (!isTypeBoxSchema(spec[field])) {
      yield `${field} must be a TypeBox schema`;
      continue;
    }
    const problem = schemaProblem(spec[field]);
    if (problem !== null) yield `${field} cannot be checked against: ${problem}`;
  }
}

function* accessProblems(access: OperationSpec["accessControl"]): Generator<string> {
  if (typeof access !== "object" || access === null) {
    yield "accessControl must be given; { requiredScopes: [] } asks for an identity and nothing else";
    return;
  }
  const { requiredScopes, requiredScopesAny, resourceType, resourceAction } = access;
  if (!isScopeList(requiredScopes))
    yield "requiredScopes must be a list of scopes without wildcards";
  if (
    requiredScopesAny !== undefined &&
    !(isScopeList(requiredScopesAny) && requiredScopesAny[0])
  ) {
    yield "requiredScopesAny must be a list of scopes without wildcards, and not empty";
  }
  if ((resourceType === undefined) !== (resourceAction === undefined)) {
    yield "resourceType and resourceAction must be given together";
  }
  for (const [field, value] of Object.entries({ resourceType, resourceAction })) {
    if (value === undefined) continue;
    if (!isConcreteScope(value) || value.includes(":")) yield `${field} must be one word`;
  }
  if (access.resourceIdFrom !== undefined) {
    if (resourceType === undefined) yield "resourceIdFrom needs a resourceType";
    if (!isJsonPointer(access.resourceIdFrom)) {
      yield 'resourceIdFrom must be a JSON pointer such as "/graphId"';
    }
  }
  yield* publicProblems(access);
}

function* publicProblems(access: OperationSpec["accessControl"]): Generator<string> {
  if (access.public === undefined) return;
  if (access.public !== true) yield "public must be true or left out";
  const restricted =
    access.requiredScopes?.length > 0 ||
    access.requiredScopesAny !== undefined ||
    access.resourceType !== undefined;
  if (restricted) yield "public cannot stand beside a restriction";
}

function* errorProblems(spec: OperationSpec): Generator<string> {
  const codes = new Set<string>();
  for (const { code, schema } of spec.errorSchemas ?? []) {
    if (typeof code !== "string" || !ERROR_CODE.test(code)) {
      yield `error code "${String(code)}" must be in upper case, such as GRAPH_ARCHIVED`;
    } else if (CALL_ERROR_CODES.has(code))
      yield `error code ${code} is one every call can end with`;
    else if (codes.has(code)) yield `error code ${code} is declared twice`;
    codes.add(code);
    if (schema === undefined) continue;
    const problem = isTypeBoxSchema(schema) ? schemaProblem(schema) : "it is no TypeBox schema";
    if (problem !== null) yield `the schema of error ${code} cannot be checked against: ${problem}`;
  }
}

function isScopeList(scopes: unknown): scopes is readonly string[] {
  return Array.isArray(scopes) && scopes.every(isConcreteScope);
}
