import { schemaError } from "../schema/schema-error.ts";
import { isJsonObject, type JsonObject } from "../schema/subschemas.ts";
import type { ApiDocument } from "./api-document.ts";
import type { ApiParameter } from "./api-parameter.ts";
import { apiParameters, freeName } from "./api-parameters.ts";

/** An operation of an HTTP API, as its document describes it. */
export interface ApiOperation {
  readonly method: string;
  /** With its parameters in braces: `/pets/{id}`. */
  readonly path: string;
  /** What the document calls it, if it does. */
  readonly operationId: string | undefined;
  readonly summary: string | undefined;
  readonly description: string | undefined;
  readonly tags: readonly string[];
  readonly parameters: readonly ApiParameter[];
  /** Media type of the body and the property of the input that it comes from. */
  readonly body: { readonly contentType: string; readonly property: string } | undefined;
  readonly inputSchema: JsonObject;
  /** JSON Schema of answers, where the document has one. */
  readonly outputSchema: JsonObject | undefined;
  /** Whether it answers with server-sent events. */
  readonly streams: boolean;
}

const FORM = "application/x-www-form-urlencoded";
const EVENTS = "text/event-stream";

/** Where an operation stands in its document. */
export interface ApiPlace {
  readonly method: string;
  readonly path: string;
  /** The object of the path, whose parameters all of its operations have. */
  readonly item: JsonObject;
}

/**
 * Reads one operation.
 *
 * @throws OperationsError `INVALID_SCHEMA` for what cannot be sent or checked
 */
export function apiOperation(document: ApiDocument, place: ApiPlace): ApiOperation {
  const { method, path, item } = place;
  const operation = document.resolve(item[method]);
  const parameters = apiParameters(document, [item.parameters, operation.parameters]);
  for (const [, name] of path.matchAll(/\{([^}]*)\}/g)) {
    const isKnown = parameters.some((one) => one.in === "path" && one.name === name);
    if (!isKnown) throw schemaError("", `of the path does not describe "{${name}}"`);
  }
  const body = readBody(document, operation, new Set(parameters.map(({ property }) => property)));
  const outputs = successContents(document, operation);
  const json = outputs.filter(({ type }) => isJsonType(type) || type === EVENTS);
  return {
    method,
    path,
    operationId: text(operation.operationId),
    summary: text(operation.summary) ?? text(item.summary),
    description: text(operation.description) ?? text(item.description),
    tags: Array.isArray(operation.tags) ? operation.tags.map(String) : [],
    parameters,
    body:
      body === undefined ? undefined : { contentType: body.contentType, property: body.property },
    inputSchema: document.standAlone(inputSchema(parameters, body), "input"),
    outputSchema: outputSchema(document, json, outputs.length),
    streams: outputs.length > 0 && outputs.every(({ type }) => type === EVENTS),
  };
}

interface ApiBody {
  readonly contentType: string;
  readonly property: string;
  readonly schema: unknown;
  readonly required: boolean;
}

interface ApiContent {
  readonly type: string;
  readonly schema: unknown;
}

function readBody(
  document: ApiDocument,
  operation: JsonObject,
  properties: Set<string>,
): ApiBody | undefined {
  if (operation.requestBody === undefined) return undefined;
  const body = document.resolve(operation.requestBody);
  const types = Object.entries(isJsonObject(body.content) ? body.content : {});
  const chosen =
    types.find(([type]) => isJsonType(type)) ??
    types.find(([type]) => type.startsWith(FORM)) ??
    types.find(([type]) => type.startsWith("text/"));
  if (chosen === undefined) {
    if (body.required !== true) return undefined;
    throw schemaError(
      "",
      `of the body has none of the media types that can be sent: JSON, a form, text`,
    );
  }
  const [type, media] = chosen;
  const schema = isJsonObject(media) && media.schema !== undefined ? media.schema : {};
  return {
    contentType: type.startsWith("*/") ? "application/json" : type,
    property: freeName("body", "request", properties),
    schema,
    required: body.required === true,
  };
}

function inputSchema(parameters: readonly ApiParameter[], body: ApiBody | undefined): JsonObject {
  const parts = [...parameters, ...(body === undefined ? [] : [body])];
  return {
    type: "object",
    properties: Object.fromEntries(parts.map(({ property, schema }) => [property, schema])),
    required: parts.filter(({ required }) => required).map(({ property }) => property),
    additionalProperties: false,
  };
}

/** What answers with a status of success can be. */
function successContents(document: ApiDocument, operation: JsonObject): readonly ApiContent[] {
  const responses = Object.entries(document.resolve(operation.responses));
  return responses
    .filter(([status]) => /^2/.test(status))
    .flatMap(([, response]) => {
      const { content } = document.resolve(response);
      // one without a body is an answer of its own
      if (!isJsonObject(content)) return [{ type: "application/json", schema: { type: "null" } }];
      return Object.entries(content).map(([type, media]) => ({
        type: type.split(";")[0]?.trim() ?? type,
        schema: isJsonObject(media) ? (media.schema ?? {}) : {},
      }));
    });
}

function outputSchema(
  document: ApiDocument,
  contents: readonly ApiContent[],
  all: number,
): JsonObject | undefined {
  // texts and files have no schema, and what streams is checked event by event, if at all
  if (contents.length === 0 || contents.length < all) return undefined;
  if (contents.some(({ type }) => type === EVENTS)) return undefined;
  const schemas = contents.map(({ schema }) => schema);
  const [only] = schemas;
  return document.standAlone(
    schemas.length === 1 && isJsonObject(only) ? only : { anyOf: schemas },
    "output",
  );
}

function isJsonType(type: string): boolean {
  return /^(application\/json|[^;]*\+json|\*\/\*)\s*(;|$)/i.test(type);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
