import { CallError, type ResponseEnvelope } from "@alkdev/operations";
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { ErrorBody } from "../../http/error-response.ts";
import { ORG_HEADER } from "../../protocol/connection-names.ts";

/** Which hub, and as whom. */
export interface HubClientOptions {
  readonly url: string;
  readonly key: string;
  readonly org?: string;
}

/** One call as it is sent. */
export interface RemoteCall {
  readonly operation: string;
  readonly input: unknown;
  readonly requestId?: string;
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

/** Calls operations of a hub over HTTP. */
export class HubClient {
  readonly #options: HubClientOptions;

  constructor(options: HubClientOptions) {
    this.#options = options;
  }

  /**
   * Calls a query or a mutation.
   *
   * @throws CallError as the hub answered; `UNAVAILABLE` where it cannot be reached
   */
  async call(call: RemoteCall): Promise<ResponseEnvelope> {
    const response = await this.#post("call", call);
    return (await jsonOf(response)) as ResponseEnvelope;
  }

  /**
   * Subscribes; answers come until the operation ends.
   *
   * @throws CallError as {@link call}; `TRANSPORT_ERROR` where the connection ends before the operation
   */
  async *subscribe(call: RemoteCall): AsyncGenerator<ResponseEnvelope> {
    const response = await this.#post("subscribe", call);
    const events = (response.body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
      .pipeThrough(new EventSourceParserStream());
    try {
      for await (const { event, data } of events) {
        if (event === "completed") return;
        if (event === "error") throw callErrorOf(JSON.parse(data) as ErrorBody);
        if (event === "answer") yield JSON.parse(data) as ResponseEnvelope;
      }
    } catch (error) {
      call.signal.throwIfAborted();
      if (error instanceof CallError) throw error;
      throw lost(this.#options.url, error);
    }
    call.signal.throwIfAborted();
    throw lost(this.#options.url);
  }

  /**
   * What `GET <path>` answers, also with a status that is no success.
   *
   * @throws CallError `UNAVAILABLE` where the hub cannot be reached
   */
  async get(path: string, signal: AbortSignal): Promise<{ status: number; body: unknown }> {
    const response = await this.#fetch(path, { signal });
    return { status: response.status, body: await jsonOf(response) };
  }

  async #post(kind: "call" | "subscribe", call: RemoteCall): Promise<Response> {
    const { operation, input, requestId, timeoutMs, signal } = call;
    const { key, org } = this.#options;
    const headers: Record<string, string> = {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      ...(org === undefined ? {} : { [ORG_HEADER]: org }),
      ...(requestId === undefined ? {} : { "idempotency-key": requestId }),
      ...(timeoutMs === undefined ? {} : { "alkdev-timeout-ms": String(timeoutMs) }),
    };
    const body = input === undefined ? "" : JSON.stringify(input);
    const path = `/${kind}/${encodeURIComponent(operation)}`;
    const response = await this.#fetch(path, { method: "POST", headers, body, signal });
    if (response.ok) return response;
    throw callErrorOf((await jsonOf(response)) as ErrorBody, response.status);
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const { url } = this.#options;
    try {
      return await fetch(`${url}${path}`, init);
    } catch (error) {
      init.signal?.throwIfAborted();
      const { cause } = error as { readonly cause?: { readonly code?: string } };
      const reason = cause?.code ?? (error as Error).message;
      throw new CallError(
        "UNAVAILABLE",
        `cannot reach the hub at ${url}: ${reason}. Start it with alkdev hub, or give its address with --hub or ALKDEV_HUB`,
        { cause: error },
      );
    }
  }
}

/** What is no JSON came from something in between. */
async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const { status, url } = response;
    throw new CallError(
      "TRANSPORT_ERROR",
      `${url} answered ${status} and no JSON: is that a hub?`,
      { details: { status, body: text.slice(0, 500) } },
    );
  }
}

function callErrorOf(body: ErrorBody, status?: number): CallError {
  const { code, message, details } = body.error ?? {};
  if (typeof code !== "string" || typeof message !== "string") {
    return new CallError(
      "TRANSPORT_ERROR",
      `the hub answered ${status ?? "something"} that is no error`,
    );
  }
  return new CallError(code, message, details === undefined ? {} : { details });
}

function lost(url: string, cause?: unknown): CallError {
  return new CallError(
    "TRANSPORT_ERROR",
    `the connection to the hub at ${url} ended before the operation did`,
    cause === undefined ? {} : { cause },
  );
}
