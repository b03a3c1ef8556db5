import type { AuthInfo } from "@modelcontextprotocol/sdk/server/auth/types.js";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  CallToolRequestSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
} from "@modelcontextprotocol/sdk/types.js";
import { checkCaller } from "../access/check-access.ts";
import type { Identity } from "../access/identity.ts";
import type { ResponseEnvelope } from "../envelope/response-envelope.ts";
import { CallError } from "../errors.ts";
import type { CallOptions } from "../operation-context.ts";
import { type OperationSpec, operationId } from "../operation-spec.ts";
import { failedResult, resultOf } from "./mcp-result.ts";
import { type McpTool, mcpTools } from "./mcp-tools.ts";

/** What an MCP server needs of a registry. */
export interface McpRegistry {
  list(): readonly OperationSpec[];
  execute(operationId: string, input: unknown, call: CallOptions): Promise<ResponseEnvelope>;
}

/** What is known of who sent a request. */
export interface McpCaller {
  /** What the transport found out. */
  readonly authInfo?: AuthInfo;
  /** Headers of the HTTP request, names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Options of {@link createMcpServer}. */
export interface McpServerOptions {
  readonly registry: McpRegistry;
  /** Name of the server, as clients show it. */
  readonly name: string;
  /** Version of the server: `1.0.0`. */
  readonly version: string;
  /** What the tools are for, told to the model. */
  readonly instructions?: string;
  /**
   * Who calls, asked for every request: a fixed identity for a program on the same machine, what its key
   * says for a request by HTTP. Default: nobody, who may call `public` operations.
   */
  readonly identityOf?: (caller: McpCaller) => Identity | undefined | Promise<Identity | undefined>;
  /** Which operations are offered. Default: all. Subscriptions never are: a tool answers once. */
  readonly offers?: (spec: OperationSpec) => boolean;
  /** Milliseconds a call may take. Default: as the registry says. */
  readonly timeoutMs?: number;
  /**
   * Gets what `identityOf` throws, and what goes wrong on the transport. Default: a process warning for the
   * former.
   */
  readonly onError?: (error: unknown) => void;
}

/**
 * An MCP server whose tools are the queries and mutations of a registry. A caller sees the tools that its
 * scopes allow; every call goes through the registry, with its checks. Outputs are structured content,
 * failures are results with `isError` that name the code, and a cancelled call aborts its handler.
 *
 * Connect it to a transport of the SDK: `StdioServerTransport`, or by HTTP through `createMcpHttpHandler`.
 */
export function createMcpServer(options: McpServerOptions): Server {
  const { registry, name, version, instructions, offers = () => true, timeoutMs } = options;
  const server = new Server(
    { name, version },
    { capabilities: { tools: {} }, ...(instructions === undefined ? {} : { instructions }) },
  );
  // what clients send wrongly is no warning of ours
  if (options.onError !== undefined) server.onerror = options.onError;
  const tools = (): ReadonlyMap<string, McpTool> => mcpTools(registry.list().filter(offers));

  server.setRequestHandler(ListToolsRequestSchema, async (_request, extra) => {
    const identity = await callerOf(options, extra);
    const visible = [...tools().values()].filter(
      ({ spec }) => checkCaller(spec.accessControl, identity).allowed,
    );
    return { tools: visible.map(({ tool }) => tool) };
  });

  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = tools().get(params.name);
    if (tool === undefined) {
      throw new McpError(ErrorCode.InvalidParams, `there is no tool "${params.name}"`);
    }
    try {
      const identity = await callerOf(options, extra);
      const input = tool.inputOf(params.arguments ?? {});
      const envelope = await registry.execute(operationId(tool.spec), input, {
        signal: extra.signal,
        ...(identity === undefined ? {} : { identity }),
        ...(timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs }),
      });
      return resultOf(envelope, tool);
    } catch (error) {
      return failedResult(error);
    }
  });
  return server;
}

/** @throws CallError `ACCESS_DENIED` where it cannot be found out */
async function callerOf(
  { identityOf, onError = warn }: McpServerOptions,
  {
    authInfo,
    requestInfo,
  }: {
    readonly authInfo?: AuthInfo;
    readonly requestInfo?: { readonly headers: McpCaller["headers"] };
  },
): Promise<Identity | undefined> {
  try {
    return await identityOf?.({
      headers: requestInfo?.headers ?? {},
      ...(authInfo === undefined ? {} : { authInfo }),
    });
  } catch (error) {
    if (error instanceof CallError) throw error;
    onError(error);
    throw new CallError("ACCESS_DENIED", "it could not be found out who calls", { cause: error });
  }
}

function warn(error: unknown): void {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  globalThis.process.emitWarning(`MCP server: ${what}`, { type: "OperationWarning" });
}
