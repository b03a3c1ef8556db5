import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import {
  type CallToolResult,
  CallToolResultSchema,
  ErrorCode,
  ListToolsResultSchema,
  McpError,
  type Tool,
} from "@modelcontextprotocol/sdk/types.js";
import { type TSchema, Type } from "@sinclair/typebox";
import type { AccessControl } from "../access/access-control.ts";
import { type McpMeta, mcpEnvelope, type ResponseEnvelope } from "../envelope/response-envelope.ts";
import { CallError, OperationsError } from "../errors.ts";
import { jsonSchema } from "../json-schema/json-schema.ts";
import type { OperationContext } from "../operation-context.ts";
import type { AnyOperation } from "../operation-spec.ts";
import { operationName } from "../schema/operation-name.ts";
import type { JsonObject } from "../schema/subschemas.ts";

/** Options of {@link operationsFromMcp}. */
export interface McpOperationsOptions {
  /** Namespace of the operations. */
  readonly namespace: string;
  /** Who may call them. Default: anybody who is known. */
  readonly accessControl?: AccessControl;
  /** Version of the operations. Default: that of the server, where it is a semantic one; else `0.0.0`. */
  readonly version?: string;
  /**
   * Makes tools that say they only read queries. A server can say anything: only for those you trust. Default
   * false: all are mutations.
   */
  readonly trustHints?: boolean;
  /** Milliseconds a tool may take. Default 60,000; the deadline of the call counts, too. */
  readonly timeoutMs?: number;
  /** Tools taken at most; a server could go on for ever. Default 1,000. */
  readonly maxTools?: number;
}

/** What {@link operationsFromMcp} made. */
export interface McpOperations {
  readonly operations: readonly AnyOperation[];
  /** Tools that could not be taken, such as those whose schema cannot be checked in bounded time. */
  readonly skipped: readonly SkippedTool[];
}

/** A tool that is no operation. */
export interface SkippedTool {
  readonly tool: string;
  readonly reason: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_MAX_TOOLS = 1_000;
const SEMANTIC = /^\d+\.\d+\.\d+$/;

/**
 * The tools of an MCP server as operations, called through a connected client of the SDK. An answer is the
 * structured content of the tool, else its content blocks; the envelope has all of it. A tool that says it failed
 * has answered: look at `meta.isError`. Register them with `registerAll`; they live as long as the client.
 *
 * @throws OperationsError `INVALID_ARGUMENT`; what the client throws where the server is gone
 */
export async function operationsFromMcp(
  client: Client,
  options: McpOperationsOptions,
): Promise<McpOperations> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  if (!(Number.isSafeInteger(timeoutMs) && timeoutMs >= 1)) {
    throw new OperationsError(
      "INVALID_ARGUMENT",
      `timeoutMs is ${timeoutMs}; it must be at least 1`,
    );
  }
  const operations: AnyOperation[] = [];
  const skipped: SkippedTool[] = [];
  const taken = new Set<string>();
  for (const tool of await listTools(client, options.maxTools ?? DEFAULT_MAX_TOOLS)) {
    try {
      operations.push(operationOf(tool, { client, options, timeoutMs, taken }));
    } catch (error) {
      if (!(error instanceof OperationsError)) throw error;
      skipped.push({ tool: tool.name, reason: error.message });
    }
  }
  return { operations, skipped };
}

interface Surroundings {
  readonly client: Client;
  readonly options: McpOperationsOptions;
  readonly timeoutMs: number;
  /** Names that are given away. */
  readonly taken: Set<string>;
}

/** Not by `client.listTools`, which makes code of output schemas, whatever they are. */
async function listTools(client: Client, most: number): Promise<readonly Tool[]> {
  const tools: Tool[] = [];
  let cursor: string | undefined;
  do {
    const params = cursor === undefined ? {} : { cursor };
    const page = await client.request({ method: "tools/list", params }, ListToolsResultSchema);
    tools.push(...page.tools);
    cursor = page.nextCursor;
  } while (cursor !== undefined && tools.length < most);
  return tools.slice(0, most);
}

function operationOf(tool: Tool, surroundings: Surroundings): AnyOperation {
  const { client, options, timeoutMs, taken } = surroundings;
  const { namespace, accessControl = { requiredScopes: [] }, trustHints = false } = options;
  const version = options.version ?? client.getServerVersion()?.version ?? "";
  const inputSchema = jsonSchema(tool.inputSchema);
  const outputSchema = outputOf(tool);
  return {
    namespace,
    name: operationName(tool.name, taken),
    version: SEMANTIC.test(version) ? version : "0.0.0",
    type: trustHints && tool.annotations?.readOnlyHint === true ? "query" : "mutation",
    title: tool.title ?? tool.annotations?.title ?? tool.name,
    description: tool.description ?? tool.name,
    inputSchema,
    outputSchema,
    accessControl,
    _meta: { mcpTool: tool.name, mcpAnnotations: tool.annotations ?? {} },
    handler: (input: never, context) => callTool(client, { tool, input, context, timeoutMs }),
  };
}

/** A tool that failed answers with content blocks, whatever it promises. */
function outputOf(tool: Tool): TSchema {
  if (tool.outputSchema === undefined) return Type.Unknown();
  return Type.Union([jsonSchema(tool.outputSchema), Type.Array(Type.Unknown())]);
}

async function callTool(
  client: Client,
  call: {
    readonly tool: Tool;
    readonly input: JsonObject;
    readonly context: OperationContext;
    readonly timeoutMs: number;
  },
): Promise<ResponseEnvelope> {
  const { tool, input, context, timeoutMs } = call;
  const { signal, deadline, operationId } = context;
  const left = deadline === undefined ? timeoutMs : Math.min(timeoutMs, deadline - Date.now());
  try {
    const result = (await client.request(
      { method: "tools/call", params: { name: tool.name, arguments: input } },
      CallToolResultSchema,
      { signal, timeout: Math.max(1, left) },
    )) as CallToolResult;
    return envelopeOf(result);
  } catch (error) {
    signal.throwIfAborted();
    throw failureOf(error, operationId);
  }
}

function envelopeOf({
  content,
  structuredContent,
  isError,
  _meta,
}: CallToolResult): ResponseEnvelope {
  const meta = {
    isError: isError === true,
    content: content as McpMeta["content"],
    ...(structuredContent === undefined ? {} : { structuredContent }),
    ...(_meta === undefined ? {} : { _meta }),
  };
  return mcpEnvelope(isError === true ? content : (structuredContent ?? content), meta);
}

function failureOf(error: unknown, operationId: string): unknown {
  if (!(error instanceof McpError)) return error;
  const code = CODES.get(error.code) ?? "EXECUTION_ERROR";
  return new CallError(code, `${operationId}: ${error.message}`, {
    cause: error,
    details: { operationId, mcpCode: error.code },
  });
}

const CODES: ReadonlyMap<number, string> = new Map<number, string>([
  [ErrorCode.ConnectionClosed, "TRANSPORT_ERROR"],
  [ErrorCode.RequestTimeout, "TIMEOUT"],
  [ErrorCode.InvalidParams, "VALIDATION_ERROR"],
]);
