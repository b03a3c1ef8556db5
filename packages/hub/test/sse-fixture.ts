import { defineOperation } from "@alkdev/operations";
import { Type } from "@sinclair/typebox";
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { Hub, HubOperation } from "../src/index.ts";

/** One server-sent event, its data read. */
export interface ServerEvent {
  readonly event: string | undefined;
  readonly id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly data: any;
}

/** An open stream of server-sent events. */
export interface EventStream {
  readonly status: number;
  readonly headers: Headers;
  /** The next event; null at the end. */
  next(): Promise<ServerEvent | null>;
  /** What is left, until the end. */
  rest(): Promise<ServerEvent[]>;
  /** The client goes away. */
  leave(): void;
}

/** Subscribes by HTTP. A refusal has one event, its body. */
export async function subscribe(
  { url }: Pick<Hub, "url">,
  operation: string,
  options: {
    readonly key?: string;
    readonly input?: unknown;
    readonly headers?: Record<string, string>;
    readonly method?: "GET" | "POST";
  } = {},
): Promise<EventStream> {
  const { key, input = {}, headers = {}, method = "GET" } = options;
  const left = new AbortController();
  const text = typeof input === "string" ? input : JSON.stringify(input);
  const query = method === "GET" ? `?input=${encodeURIComponent(text)}` : "";
  const response = await fetch(`${url}/subscribe/${operation}${query}`, {
    method,
    headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...headers },
    ...(method === "POST" ? { body: text } : {}),
    signal: left.signal,
  });
  const read = response.ok ? events(response) : [await body(response)][Symbol.iterator]();
  const next = async (): Promise<ServerEvent | null> => (await read.next()).value ?? null;
  const rest = async (): Promise<ServerEvent[]> => {
    const all: ServerEvent[] = [];
    for (let one = await next(); one !== null; one = await next()) all.push(one);
    return all;
  };
  const leave = (): void => left.abort();
  return { status: response.status, headers: response.headers, next, rest, leave };
}

/** What a counting operation did. */
export interface Counting {
  started: number;
  yielded: number;
  ended: number;
}

/** `test.count`: counts up to `to` and waits then, or fails at `failAt`; each answer has `bytes` of filling. */
export function countOperation(scope = "graphs:read"): {
  readonly operation: HubOperation;
  readonly did: Counting;
} {
  const did: Counting = { started: 0, yielded: 0, ended: 0 };
  const operation = defineOperation({
    namespace: "test",
    name: "count",
    version: "1.0.0",
    type: "subscription",
    description: "Counts.",
    inputSchema: Type.Object({
      to: Type.Integer(),
      failAt: Type.Optional(Type.Integer()),
      bytes: Type.Optional(Type.Integer()),
      wait: Type.Optional(Type.Boolean()),
    }),
    outputSchema: Type.Unknown(),
    accessControl: { requiredScopes: [scope] },
    errorSchemas: [{ code: "NO_LUCK", description: "As asked for.", httpStatus: 418 }],
    handler: async function* ({ to, failAt, bytes = 0, wait = false }, { signal }) {
      did.started += 1;
      try {
        for (let n = 1; n <= to; n++) {
          if (n === failAt) throw Object.assign(new Error("not today"), { code: "NO_LUCK" });
          did.yielded += 1;
          yield bytes === 0 ? n : { n, filling: "x".repeat(bytes) };
        }
        if (wait) await new Promise((resolve) => signal.addEventListener("abort", resolve));
      } finally {
        did.ended += 1;
      }
    },
  });
  return { operation: { operation }, did };
}

async function* events(response: Response): AsyncGenerator<ServerEvent, undefined> {
  const parsed = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>)
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
    .pipeThrough(new EventSourceParserStream());
  for await (const { event, id, data } of parsed) yield { event, id, data: JSON.parse(data) };
}

async function body(response: Response): Promise<ServerEvent> {
  return { event: undefined, id: undefined, data: await response.json() };
}
