import {
  checkAccess,
  type OperationContext,
  type OperationSpec,
  operationId,
} from "@alkdev/operations";
import { systemIdentity } from "@alkdev/storage/sqlite";
import { type Static, Type } from "@sinclair/typebox";
import { placeOf } from "../core/call-place.ts";
import type { HubOperation } from "../core/hub-options.ts";
import { query } from "./define-operation.ts";
import type { OperationsHost } from "./operations-host.ts";
import {
  Cursor,
  closed,
  Json,
  limit,
  Name,
  nullable,
  oneOf,
  page,
  pageOf,
  texts,
} from "./schemas.ts";

const TYPES = ["query", "mutation", "subscription"] as const;

const OperationSchema = closed({
  id: Type.String(),
  type: oneOf(TYPES),
  version: Type.String(),
  title: nullable(Type.String()),
  description: Type.String(),
  tags: Type.Array(Type.String()),
  scopes: Type.Array(Type.String()),
  callable: Type.Boolean(),
  inputSchema: Type.Optional(Json),
  outputSchema: Type.Optional(Json),
  errors: Type.Optional(
    Type.Array(
      closed({
        code: Type.String(),
        description: Type.String(),
        httpStatus: nullable(Type.Integer()),
      }),
    ),
  ),
});

const Input = closed({
  ids: Type.Optional(texts(100)),
  namespace: Type.Optional(Name),
  type: Type.Optional(oneOf(TYPES)),
  tag: Type.Optional(Name),
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  callable: Type.Optional(Type.Boolean()),
  schemas: Type.Optional(Type.Boolean({ default: false })),
  limit: limit(500, 100),
  cursor: Cursor,
});

/** What can be called, for both realms; also what spokes serve. */
export function catalogOperation(core: OperationsHost): HubOperation {
  return query(
    {
      id: "hub.operations",
      description:
        "Lists the operations that can be called here, by id: what each does, which scopes it needs and whether the caller has them (`callable`). Filter by ids, namespace, type, tag, a text to search for, or `callable`; `schemas: true` adds JSON Schemas of input and output, and errors.",
      input: Input,
      output: page(OperationSchema),
      scope: null,
      record: "names",
    },
    ({ limit: most = 100, cursor, schemas = false, callable, ...filter }, context) => {
      const mayCall = accessOf(core, context);
      const chosen = core
        .specs(placeOf(context).session)
        .filter((spec) => fits(spec, filter))
        .filter((spec) => callable === undefined || mayCall(spec) === callable)
        .sort((a, b) => (operationId(a) < operationId(b) ? -1 : 1));
      const { items, cursor: next } = pageOf(chosen, operationId, { limit: most, cursor });
      return { items: items.map((spec) => viewOf(spec, mayCall(spec), schemas)), cursor: next };
    },
  );
}

/** Whether the caller may call an operation with some input; its realm decides by whom it is judged. */
function accessOf(
  core: OperationsHost,
  context: OperationContext,
): (spec: OperationSpec) => boolean {
  const { session, tenant } = placeOf(context);
  const systems = new Set(core.ownSpecs().system);
  const ofSystem =
    tenant === null
      ? context.identity
      : systemIdentity(session.principal(), core.settings.membershipScopes);
  return (spec) => {
    const { requiredScopes, requiredScopesAny, public: isPublic } = spec.accessControl;
    const access = {
      requiredScopes,
      ...(requiredScopesAny === undefined ? {} : { requiredScopesAny }),
    };
    const identity = systems.has(spec) ? ofSystem : context.identity;
    // resources are named by the input, which is not there yet
    return isPublic === true || checkAccess(access, identity, null).allowed;
  };
}

function fits(
  spec: OperationSpec,
  { ids, namespace, type, tag, search }: Static<typeof Input>,
): boolean {
  const id = operationId(spec);
  const text = `${id} ${spec.title ?? ""} ${spec.description}`.toLowerCase();
  return (
    (ids === undefined || ids.includes(id)) &&
    (namespace === undefined || spec.namespace === namespace) &&
    (type === undefined || spec.type === type) &&
    (tag === undefined || spec.tags?.includes(tag) === true) &&
    (search === undefined || text.includes(search.toLowerCase()))
  );
}

function viewOf(
  spec: OperationSpec,
  callable: boolean,
  schemas: boolean,
): Static<typeof OperationSchema> {
  const { type, version, title = null, description, tags = [], accessControl } = spec;
  const { requiredScopes, requiredScopesAny = [] } = accessControl;
  const view = {
    id: operationId(spec),
    type,
    version,
    title,
    description,
    tags: [...tags],
    scopes: [...requiredScopes, ...requiredScopesAny],
    callable,
  };
  if (!schemas) return view;
  const errors = (spec.errorSchemas ?? []).map(
    ({ code, description: when, httpStatus = null }) => ({
      code,
      description: when,
      httpStatus,
    }),
  );
  return {
    ...view,
    inputSchema: plain(spec.inputSchema),
    outputSchema: plain(spec.outputSchema),
    errors,
  };
}

const plainSchemas = new WeakMap<object, unknown>();

/** A schema as JSON, without what TypeBox keeps beside it; made once. */
function plain(schema: object): unknown {
  let known = plainSchemas.get(schema);
  if (known === undefined) {
    known = JSON.parse(JSON.stringify(schema));
    plainSchemas.set(schema, known);
  }
  return known;
}
