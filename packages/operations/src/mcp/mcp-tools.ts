import type { Tool } from "@modelcontextprotocol/sdk/types.js";
import { type OperationSpec, operationId } from "../operation-spec.ts";
import { isJsonObject, type JsonObject } from "../schema/subschemas.ts";
import { specToJson } from "../spec-to-json.ts";

/** Property of the arguments or of the result that holds what is no object by itself. */
const INPUT = "input";
const RESULT = "result";

/** An operation as a tool. Arguments and results of tools are objects; what is none is wrapped. */
export interface McpTool {
  readonly spec: OperationSpec;
  readonly tool: Tool;
  /** The input of the operation in the arguments of the tool. */
  inputOf(toolArguments: JsonObject): unknown;
  /** The output of the operation as the result of the tool. */
  resultOf(output: unknown): Record<string, unknown>;
}

const known = new WeakMap<OperationSpec, McpTool>();

/**
 * The tools of operations by name. Names are `namespace_name`, since models take no dots; where two are
 * equal, the later one gets a number. Subscriptions are left out: a tool answers once.
 */
export function mcpTools(specs: readonly OperationSpec[]): ReadonlyMap<string, McpTool> {
  const tools = new Map<string, McpTool>();
  for (const spec of specs) {
    if (spec.type === "subscription") continue;
    const wanted = `${spec.namespace}_${spec.name}`;
    let name = wanted;
    for (let i = 2; tools.has(name); i += 1) name = `${wanted}_${i}`;
    const made = toolOf(spec);
    tools.set(name, { ...made, tool: { ...made.tool, name } });
  }
  return tools;
}

/** Made once per spec: schemas are large. */
function toolOf(spec: OperationSpec): McpTool {
  const existing = known.get(spec);
  if (existing !== undefined) return existing;
  const { title, description, inputSchema, outputSchema, type, _meta } = specToJson(spec);
  const input = asObject(inputSchema, INPUT);
  const output = asObject(outputSchema, RESULT);
  const hints = _meta?.mcpAnnotations;
  const made: McpTool = {
    spec,
    tool: {
      name: operationId(spec),
      title: title ?? operationId(spec),
      description,
      inputSchema: input.schema as Tool["inputSchema"],
      outputSchema: output.schema as Tool["outputSchema"],
      annotations: {
        readOnlyHint: type === "query",
        ...(type === "query" ? {} : { destructiveHint: true }),
        ...(isJsonObject(hints) ? hints : {}),
      },
    },
    inputOf: (toolArguments) => (input.isWrapped ? toolArguments[INPUT] : toolArguments),
    resultOf: (data) => (output.isWrapped ? { [RESULT]: data } : (data as Record<string, unknown>)),
  };
  known.set(spec, made);
  return made;
}

/** A schema of objects: itself, or one of an object that holds the value below `key`. */
function asObject(
  schema: unknown,
  key: string,
): { readonly schema: JsonObject; readonly isWrapped: boolean } {
  if (isJsonObject(schema) && schema.type === "object") return { schema, isWrapped: false };
  const { $defs, ...rest } = isJsonObject(schema) ? schema : {};
  return {
    schema: {
      type: "object",
      properties: { [key]: rest },
      required: [key],
      ...($defs === undefined ? {} : { $defs }),
    },
    isWrapped: true,
  };
}
