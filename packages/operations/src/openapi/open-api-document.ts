import { ResponseMetaSchema } from "../envelope/envelope-schema.ts";
import { type OperationSpec, operationId } from "../operation-spec.ts";
import { hoistReferences } from "../schema/hoist-references.ts";
import type { JsonSchema } from "../schema/subschemas.ts";
import { toJsonSchema } from "../schema/to-json-schema.ts";
import { type OperationSpecJson, specToJson } from "../spec-to-json.ts";
import { commonResponses, failureResponses } from "./failure-responses.ts";
import { HTTP_FAILURES, type HttpFailure } from "./http-failures.ts";

/** A request header that every call may have. */
export interface HeaderDescription {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its value. Default: a text. */
  readonly schema?: Readonly<Record<string, unknown>>;
}

/** Options of {@link openApiDocument}. */
export interface OpenApiDocumentOptions {
  /** Name of the API. */
  readonly title: string;
  /** Version of the API: `1.0.0`. */
  readonly version: string;
  readonly description?: string;
  /** URLs it is served at. Default: where the document comes from. */
  readonly servers?: readonly string[];
  /** What all paths start with: `/api`. Default: nothing. */
  readonly basePath?: string;
  /** Headers that every call may have, such as a request id. Default: none. */
  readonly headers?: readonly HeaderDescription[];
  /** What every call can end with. Default: {@link HTTP_FAILURES}. */
  readonly failures?: readonly HttpFailure[];
}

/**
 * An OpenAPI 3.1 document of operations served by HTTP: `POST /call/{namespace}.{name}` takes the input and
 * answers with the envelope of the output, `POST /subscribe/{namespace}.{name}` with server-sent events. A bearer key
 * says who calls; scopes are listed with it. What goes in is the caller's choice: `registry.list()`, or what
 * somebody may call.
 *
 * @throws OperationsError `INVALID_SCHEMA` for types that JSON has no form for
 *
 * @example
 * ```ts
 * const document = openApiDocument(registry.list(), { title: "Graphs", version: "1.0.0" });
 * ```
 */
export function openApiDocument(
  specs: readonly OperationSpec[],
  options: OpenApiDocumentOptions,
): Record<string, unknown> {
  return new DocumentBuilder(options).build(specs);
}

/** A server is asked again and again, and its specs stay the same. */
const known = new WeakMap<OperationSpec, OperationSpecJson>();

class DocumentBuilder {
  readonly #options: OpenApiDocumentOptions;
  readonly #failures: readonly HttpFailure[];
  readonly #schemas: Record<string, JsonSchema> = {};

  constructor(options: OpenApiDocumentOptions) {
    this.#options = options;
    this.#failures = options.failures ?? HTTP_FAILURES;
  }

  build(specs: readonly OperationSpec[]): Record<string, unknown> {
    const { title, version, description, servers, headers = [] } = this.#options;
    this.#component("ResponseMeta", toJsonSchema(ResponseMetaSchema));
    const paths = specs.map((spec) => this.#path(jsonOf(spec)));
    const tags = [...new Set(specs.map(({ namespace }) => namespace))].sort();
    return {
      openapi: "3.1.0",
      info: { title, version, ...(description === undefined ? {} : { description }) },
      ...(servers === undefined ? {} : { servers: servers.map((url) => ({ url })) }),
      tags: tags.map((name) => ({ name })),
      paths: Object.fromEntries(paths),
      components: {
        schemas: this.#schemas,
        responses: commonResponses(this.#failures),
        parameters: Object.fromEntries(headers.map((header) => [header.name, parameter(header)])),
        securitySchemes: { key: { type: "http", scheme: "bearer" } },
      },
    };
  }

  #path(spec: OperationSpecJson): readonly [path: string, item: unknown] {
    const id = operationId(spec);
    const verb = spec.type === "subscription" ? "subscribe" : "call";
    const { description, tags = [], title = id, type, accessControl, errorSchemas = [] } = spec;
    const input = this.#component(`${id}.input`, spec.inputSchema);
    const output = this.#component(`${id}.output`, spec.outputSchema);
    const declared = errorSchemas.map(({ schema, ...definition }) => ({
      ...definition,
      ...(schema === undefined
        ? {}
        : { schema: this.#component(`${id}.${definition.code}`, schema) }),
    }));
    const operation = {
      operationId: id,
      summary: title,
      description,
      tags: [spec.namespace, ...tags.filter((tag) => tag !== spec.namespace)],
      "x-operation-type": type,
      "x-operation-version": spec.version,
      security: securityOf(accessControl),
      parameters: (this.#options.headers ?? []).map(({ name }) => ({
        $ref: `#/components/parameters/${name}`,
      })),
      requestBody: { required: true, content: { "application/json": { schema: input } } },
      responses: {
        200: type === "subscription" ? eventsOf(output) : answerOf(output),
        ...failureResponses(this.#failures, declared),
      },
    };
    return [`${this.#options.basePath ?? ""}/${verb}/${id}`, { post: operation }];
  }

  /** Puts a schema among the components, and what it refers to beside it. */
  #component(name: string, schema: unknown): { readonly $ref: string } {
    const refer = (inner: string): string => `#/components/schemas/${name}.${inner}`;
    const { root, definitions } = hoistReferences(schema, { refer });
    this.#schemas[name] = root;
    for (const [inner, definition] of Object.entries(definitions)) {
      this.#schemas[`${name}.${inner}`] = definition;
    }
    return { $ref: `#/components/schemas/${name}` };
  }
}

function jsonOf(spec: OperationSpec): OperationSpecJson {
  const json = known.get(spec) ?? specToJson(spec);
  known.set(spec, json);
  return json;
}

function parameter({ name, description, schema = { type: "string" } }: HeaderDescription): unknown {
  return { name, in: "header", description, required: false, schema };
}

/** Each way to be let in, with the scopes it takes. */
function securityOf(access: OperationSpec["accessControl"]): unknown {
  if (access.public === true) return [];
  const { requiredScopes, requiredScopesAny } = access;
  if (requiredScopesAny === undefined) return [{ key: requiredScopes }];
  return requiredScopesAny.map((scope) => ({ key: [...requiredScopes, scope] }));
}

function envelopeOf(output: unknown): unknown {
  return {
    type: "object",
    properties: { data: output, meta: { $ref: "#/components/schemas/ResponseMeta" } },
    required: ["data", "meta"],
  };
}

function answerOf(output: unknown): unknown {
  return {
    description: "The output, and where it came from.",
    content: { "application/json": { schema: envelopeOf(output) } },
  };
}

function eventsOf(output: unknown): unknown {
  return {
    description:
      "Server-sent events: `answer` for each answer, then `completed`, or `error` with the body of a failure.",
    content: {
      "text/event-stream": {
        schema: {
          type: "string",
          description:
            "Events, one after the other. The data of each `answer` is as `contentSchema` says.",
          contentMediaType: "application/json",
          contentSchema: envelopeOf(output),
        },
      },
    },
  };
}
