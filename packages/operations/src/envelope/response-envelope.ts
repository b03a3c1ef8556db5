/** Where an answer came from. */
export type ResponseMeta = LocalMeta | HttpMeta | McpMeta;

/** Made by an operation of this system. */
export interface LocalMeta {
  readonly source: "local";
  readonly operationId: string;
  /** When, in milliseconds since 1970. */
  readonly timestamp: number;
}

/** Taken from an HTTP answer. */
export interface HttpMeta {
  readonly source: "http";
  readonly statusCode: number;
  /** Single-valued, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Media type of the body: `application/json`. */
  readonly contentType: string;
}

/** Taken from the answer of an MCP tool. */
export interface McpMeta {
  readonly source: "mcp";
  /** The tool says that it failed. That is an answer, not an error of the call. */
  readonly isError: boolean;
  readonly content: readonly McpContent[];
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** A content block, as the Model Context Protocol defines them (2025-06-18). */
export type McpContent =
  | { readonly type: "text"; readonly text: string; readonly annotations?: McpAnnotations }
  | {
      readonly type: "image" | "audio";
      /** Base64. */
      readonly data: string;
      readonly mimeType: string;
      readonly annotations?: McpAnnotations;
    }
  | {
      readonly type: "resource";
      readonly resource: {
        readonly uri: string;
        readonly mimeType?: string;
        readonly text?: string;
        /** Base64. */
        readonly blob?: string;
      };
      readonly annotations?: McpAnnotations;
    }
  | {
      readonly type: "resource_link";
      readonly uri: string;
      readonly name: string;
      readonly description?: string;
      readonly mimeType?: string;
      readonly annotations?: McpAnnotations;
    };

/** Hints on who a content block is for. */
export interface McpAnnotations {
  readonly audience?: readonly ("user" | "assistant")[];
  /** 0 to 1. */
  readonly priority?: number;
  /** ISO 8601. */
  readonly lastModified?: string;
}

/** An answer and where it came from; plain JSON, the same in this process and on the wire. */
export interface ResponseEnvelope<Data = unknown> {
  readonly data: Data;
  readonly meta: ResponseMeta;
}

/** An envelope around what an operation of this system returned. `timestamp`: milliseconds since 1970. */
export function localEnvelope<Data>(
  data: Data,
  operationId: string,
  timestamp: number = Date.now(),
): ResponseEnvelope<Data> {
  return { data, meta: { source: "local", operationId, timestamp } };
}

/** An envelope around the body of an HTTP answer. */
export function httpEnvelope<Data>(
  data: Data,
  meta: Omit<HttpMeta, "source">,
): ResponseEnvelope<Data> {
  return { data, meta: { source: "http", ...meta } };
}

/** An envelope around what an MCP tool answered. */
export function mcpEnvelope<Data>(
  data: Data,
  meta: Omit<McpMeta, "source">,
): ResponseEnvelope<Data> {
  return { data, meta: { source: "mcp", ...meta } };
}

/** The data of an envelope. */
export function unwrap<Data>(envelope: ResponseEnvelope<Data>): Data {
  return envelope.data;
}
