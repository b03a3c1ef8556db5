// A program that offers operations to the MCP client that started it.
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { createMcpServer } from "../src/mcp.ts";
import { mcpRegistry } from "./mcp-registry.ts";
import { ada } from "./specs.ts";

const { registry } = mcpRegistry();
const server = createMcpServer({
  registry,
  name: "math",
  version: "1.2.3",
  identityOf: () => ada,
});
await server.connect(new StdioServerTransport());
