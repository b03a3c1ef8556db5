export type { McpHttpHandler, McpHttpHandlerOptions } from "./mcp/mcp-http-handler.ts";
export { createMcpHttpHandler } from "./mcp/mcp-http-handler.ts";
export type { McpCaller, McpRegistry, McpServerOptions } from "./mcp/mcp-server.ts";
export { createMcpServer } from "./mcp/mcp-server.ts";
export type {
  McpOperations,
  McpOperationsOptions,
  SkippedTool,
} from "./mcp/operations-from-mcp.ts";
export { operationsFromMcp } from "./mcp/operations-from-mcp.ts";
