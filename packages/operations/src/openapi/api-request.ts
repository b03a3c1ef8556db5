import type { JsonObject } from "../schema/subschemas.ts";
import type { ApiOperation } from "./api-operation.ts";
import { headerText, pathStep, queryPairs } from "./api-parameter.ts";

/** An HTTP request to be sent. */
export interface ApiRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

/**
 * The request that an input means. Its address is below `baseUrl`, whatever the input says.
 *
 * @throws CallError `VALIDATION_ERROR`
 */
export function apiRequest(
  operation: ApiOperation,
  input: JsonObject,
  baseUrl: string,
): ApiRequest {
  const given = operation.parameters.filter(({ property }) => input[property] !== undefined);
  const path = operation.path.replaceAll(/\{([^}]*)\}/g, (_match, name: string) => {
    const parameter = given.find((one) => one.in === "path" && one.name === name);
    return parameter === undefined ? "" : pathStep(input[parameter.property], parameter);
  });
  const url = new URL(`${baseUrl.replace(/\/+$/, "")}${path}`);
  const headers: Record<string, string> = {};
  for (const parameter of given) {
    const value = input[parameter.property];
    if (parameter.in === "header") {
      headers[parameter.name.toLowerCase()] = headerText(value, parameter);
    }
    if (parameter.in !== "query") continue;
    for (const [key, text] of queryPairs(value, parameter)) url.searchParams.append(key, text);
  }
  const { body } = operation;
  const content = body === undefined ? undefined : input[body.property];
  if (body !== undefined && content !== undefined) headers["content-type"] = body.contentType;
  return {
    url,
    method: operation.method.toUpperCase(),
    headers,
    body:
      body === undefined || content === undefined ? undefined : bodyOf(content, body.contentType),
  };
}

function bodyOf(content: unknown, contentType: string): string {
  if (contentType.startsWith("text/")) return String(content);
  if (!contentType.startsWith("application/x-www-form-urlencoded")) return JSON.stringify(content);
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(content as JsonObject)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      form.append(name, typeof item === "object" ? JSON.stringify(item) : String(item));
    }
  }
  return form.toString();
}
