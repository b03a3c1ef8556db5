import { Type } from "@sinclair/typebox";
import type { AccessControl } from "../access/access-control.ts";
import { OperationsError } from "../errors.ts";
import { jsonSchema } from "../json-schema/json-schema.ts";
import type { AnyOperation } from "../operation-spec.ts";
import { operationName } from "../schema/operation-name.ts";
import { isJsonObject, type JsonObject } from "../schema/subschemas.ts";
import { HTTP_ERROR } from "./api-answer.ts";
import { type ApiCallOptions, callApi, subscribeApi } from "./api-call.ts";
import { ApiDocument } from "./api-document.ts";
import { type ApiOperation, apiOperation } from "./api-operation.ts";

/** Options of {@link operationsFromOpenApi}. */
export interface OpenApiOperationsOptions extends ApiCallOptions {
  /** Namespace of the operations. */
  readonly namespace: string;
  /** Who may call them. Default: anybody who is known. */
  readonly accessControl?: AccessControl;
  /** Which operations are taken. Default: all. */
  readonly includes?: (operation: ApiOperationPlace) => boolean;
}

/** An operation of the document, for {@link OpenApiOperationsOptions.includes}. */
export interface ApiOperationPlace {
  /** In lower case. */
  readonly method: string;
  readonly path: string;
  readonly operationId: string | undefined;
  readonly tags: readonly string[];
}

/** What {@link operationsFromOpenApi} made. */
export interface OpenApiOperations {
  readonly operations: readonly AnyOperation[];
  /** Operations that could not be taken, and why. */
  readonly skipped: readonly SkippedApiOperation[];
}

/** An operation of the document that became none here. */
export interface SkippedApiOperation {
  readonly method: string;
  readonly path: string;
  readonly reason: string;
}

const METHODS = ["get", "head", "post", "put", "patch", "delete"];
const SEMANTIC = /^\d+\.\d+\.\d+$/;

/**
 * The operations of an HTTP API as its OpenAPI document (3.0 or 3.1) describes them. Parameters are properties of
 * the input under their own names, the body is `body`. `GET` and `HEAD` are queries, what answers with
 * server-sent events is a subscription, the rest are mutations. A status that is no success ends the call with
 * `HTTP_ERROR`; redirects are not followed.
 *
 * @throws OperationsError `INVALID_ARGUMENT`
 *
 * @example
 * ```ts
 * const { operations, skipped } = operationsFromOpenApi(document, {
 *   namespace: "pets",
 *   baseUrl: "https://api.example.com/v1",
 *   headers: { authorization: `Bearer ${key}` },
 * });
 * registry.registerAll(operations);
 * ```
 */
export function operationsFromOpenApi(
  document: unknown,
  options: OpenApiOperationsOptions,
): OpenApiOperations {
  const api = new ApiDocument(checked(document, options));
  const taken = new Set<string>();
  const operations: AnyOperation[] = [];
  const skipped: SkippedApiOperation[] = [];
  for (const [path, pathItem] of Object.entries(api.resolve(api.root.paths))) {
    for (const method of METHODS) {
      try {
        const item = api.resolve(pathItem);
        if (!isJsonObject(item[method]) || !isIncluded(item[method], { method, path, options }))
          continue;
        const operation = apiOperation(api, { method, path, item });
        operations.push(operationOf(operation, { api, options, taken }));
      } catch (error) {
        if (!(error instanceof OperationsError)) throw error;
        skipped.push({ method, path, reason: error.message });
      }
    }
  }
  return { operations, skipped };
}

function checked(document: unknown, options: OpenApiOperationsOptions): JsonObject {
  const { baseUrl, timeoutMs = 1, maxBytes = 1 } = options;
  if (!isJsonObject(document) || !/^3\.[01]\./.test(String(document.openapi))) {
    throw new OperationsError("INVALID_ARGUMENT", "the document is not one of OpenAPI 3.0 or 3.1");
  }
  if (!URL.canParse(baseUrl) || !/^https?:$/.test(new URL(baseUrl).protocol)) {
    throw new OperationsError(
      "INVALID_ARGUMENT",
      `baseUrl is "${baseUrl}"; it must be an http(s) URL`,
    );
  }
  for (const [name, value] of Object.entries({ timeoutMs, maxBytes })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new OperationsError("INVALID_ARGUMENT", `${name} is ${value}; it must be at least 1`);
  }
  return document;
}

function isIncluded(
  operation: JsonObject,
  place: {
    readonly method: string;
    readonly path: string;
    readonly options: OpenApiOperationsOptions;
  },
): boolean {
  const { method, path, options } = place;
  const { operationId, tags } = operation;
  return (
    options.includes?.({
      method,
      path,
      operationId: typeof operationId === "string" ? operationId : undefined,
      tags: Array.isArray(tags) ? tags.map(String) : [],
    }) ?? true
  );
}

function operationOf(
  operation: ApiOperation,
  surroundings: {
    readonly api: ApiDocument;
    readonly options: OpenApiOperationsOptions;
    readonly taken: Set<string>;
  },
): AnyOperation {
  const { api, options, taken } = surroundings;
  const { method, path, operationId, summary, description, tags, outputSchema } = operation;
  const inputSchema = jsonSchema(operation.inputSchema);
  const output = outputSchema === undefined ? Type.Unknown() : jsonSchema(outputSchema);
  const version = String(api.resolve(api.root.info).version);
  return {
    namespace: options.namespace,
    name: operationName(operationId ?? nameOf(method, path), taken),
    version: SEMANTIC.test(version) ? version : "0.0.0",
    type: operation.streams ? "subscription" : /^(get|head)$/.test(method) ? "query" : "mutation",
    title: summary ?? `${method.toUpperCase()} ${path}`,
    description: description ?? summary ?? `${method.toUpperCase()} ${path}`,
    tags,
    inputSchema,
    outputSchema: output,
    accessControl: options.accessControl ?? { requiredScopes: [] },
    errorSchemas: [
      {
        code: HTTP_ERROR,
        description: "The API answered with a status that is no success.",
        schema: Type.Object({ status: Type.Integer(), body: Type.Unknown() }),
        httpStatus: 502,
      },
    ],
    _meta: { httpMethod: method, httpPath: path },
    handler: operation.streams
      ? (input: never, context) => subscribeApi(operation, { input, context, options })
      : (input: never, context) => callApi(operation, { input, context, options }),
  };
}

/** `get_pets_id` for `GET /pets/{id}`. */
function nameOf(method: string, path: string): string {
  return `${method}_${path}`.replaceAll(/[^A-Za-z0-9]+/g, "_").replace(/_$/, "");
}
