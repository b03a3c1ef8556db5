import type { ResponseEnvelope } from "../envelope/response-envelope.ts";
import { CallError } from "../errors.ts";
import type { OperationContext } from "../operation-context.ts";
import type { JsonObject } from "../schema/subschemas.ts";
import { apiAnswer } from "./api-answer.ts";
import { apiEvents } from "./api-events.ts";
import type { ApiOperation } from "./api-operation.ts";
import { apiRequest } from "./api-request.ts";

/** Headers of requests, such as the key of the API. */
export type ApiHeaders = Readonly<Record<string, string>>;

/** How requests of an API are sent. */
export interface ApiCallOptions {
  /** Where the API is: `https://api.example.com/v1`. The document's own servers are not asked. */
  readonly baseUrl: string;
  /** Headers of every request, or of those of one caller. They win over what an input says. Default: none. */
  readonly headers?: ApiHeaders | ((context: OperationContext) => ApiHeaders | Promise<ApiHeaders>);
  /** Milliseconds a request may take; a stream, until it begins. Default 30,000. */
  readonly timeoutMs?: number;
  /** Bytes of an answer, or of one event. Default 4 MiB. */
  readonly maxBytes?: number;
  /** Default: that of the platform. */
  readonly fetch?: typeof globalThis.fetch;
}

/** One call of an operation. */
export interface ApiCall {
  readonly input: JsonObject;
  readonly context: OperationContext;
  readonly options: ApiCallOptions;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Sends one request and waits for its answer.
 *
 * @throws CallError as {@link apiAnswer}, `VALIDATION_ERROR`, `TIMEOUT`, `TRANSPORT_ERROR`
 */
export async function callApi(
  operation: ApiOperation,
  apiCall: ApiCall,
): Promise<ResponseEnvelope> {
  const { context, options } = apiCall;
  const { operationId } = context;
  const timeout = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const signal = AbortSignal.any([context.signal, timeout]);
  try {
    const response = await send(operation, apiCall, signal);
    const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    return await apiAnswer(response, { operationId, maxBytes });
  } catch (error) {
    throw failureOf(error, { context, timeout });
  }
}

/**
 * Sends one request and reads the events of its answer.
 *
 * @throws CallError as {@link callApi}
 */
export async function* subscribeApi(
  operation: ApiOperation,
  apiCall: ApiCall,
): AsyncGenerator<ResponseEnvelope, void> {
  const { context, options } = apiCall;
  const { operationId } = context;
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  const starting = new AbortController();
  const timer = setTimeout(() => starting.abort(), options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  try {
    const response = await send(
      operation,
      apiCall,
      AbortSignal.any([context.signal, starting.signal]),
    );
    clearTimeout(timer);
    if (!response.ok) await apiAnswer(response, { operationId, maxBytes });
    yield* apiEvents(response, maxBytes);
  } catch (error) {
    throw failureOf(error, { context, timeout: starting.signal });
  } finally {
    clearTimeout(timer);
  }
}

async function send(
  operation: ApiOperation,
  { input, context, options }: ApiCall,
  signal: AbortSignal,
): Promise<Response> {
  const { url, method, headers, body } = apiRequest(operation, input, options.baseUrl);
  const own =
    typeof options.headers === "function" ? await options.headers(context) : options.headers;
  const all = new Headers({
    accept: operation.streams ? "text/event-stream" : "application/json, */*;q=0.1",
    ...headers,
  });
  for (const [name, value] of Object.entries(own ?? {})) all.set(name, value);
  return (options.fetch ?? globalThis.fetch)(url, {
    method,
    headers: all,
    signal,
    // a redirect could lead into the network this runs in, and would take the key along
    redirect: "error",
    ...(body === undefined ? {} : { body }),
  });
}

function failureOf(
  error: unknown,
  { context, timeout }: { readonly context: OperationContext; readonly timeout: AbortSignal },
): unknown {
  const { operationId, signal } = context;
  if (error instanceof CallError) return error;
  if (signal.aborted) return signal.reason;
  if (timeout.aborted) {
    return new CallError("TIMEOUT", `${operationId}: the API did not answer in time`, {
      details: { operationId },
    });
  }
  return new CallError(
    "TRANSPORT_ERROR",
    `${operationId}: the API could not be reached or broke off`,
    {
      cause: error,
      details: { operationId },
    },
  );
}
