import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import type { ResponseEnvelope } from "../envelope/response-envelope.ts";
import { CallError } from "../errors.ts";
import type { McpTool } from "./mcp-tools.ts";

/** Where the code and details of a call that failed are, in the `_meta` of a result. */
const ERROR_META = "alkdev/error";

/** The answer of an operation as the result of a tool; the answer of a tool elsewhere as it was. */
export function resultOf({ data, meta }: ResponseEnvelope, tool: McpTool): CallToolResult {
  const structuredContent = tool.resultOf(data);
  const isForwarded = meta.source === "mcp";
  return {
    // for clients that know no structured content
    content: isForwarded
      ? ([...meta.content] as CallToolResult["content"])
      : [{ type: "text", text: JSON.stringify(data) }],
    structuredContent,
    ...(isForwarded && meta.isError ? { isError: true } : {}),
  };
}

/** A call that failed, as a result that a model can read and act on. */
export function failedResult(thrown: unknown): CallToolResult {
  const error =
    thrown instanceof CallError ? thrown : new CallError("EXECUTION_ERROR", "the call failed");
  const { code, message, details } = error;
  const issues = (details as { readonly issues?: unknown } | undefined)?.issues;
  const more = issues === undefined ? "" : `\n${JSON.stringify(issues)}`;
  return {
    isError: true,
    content: [{ type: "text", text: `${code}: ${message}${more}` }],
    _meta: { [ERROR_META]: { code, ...(details === undefined ? {} : { details }) } },
  };
}
