// Operations that the tests offer as MCP tools; without vitest, so that another process can import them.
import { Type } from "@sinclair/typebox";
import { CallError, OperationRegistry } from "../src/index.ts";
import { addSpec, countSpec, workSpec } from "./specs.ts";

/** A registry, and what its `math.wait` saw: how many calls began, and how they ended. */
export function mcpRegistry() {
  const waits = { begun: 0, aborted: [] as unknown[] };
  const registry = new OperationRegistry({ onError: () => undefined });
  registry.register({ ...addSpec, title: "Addition", handler: ({ a, b }) => a + b });
  registry.register({ ...countSpec, handler: async function* () {} });
  registry.register({
    ...workSpec,
    name: "wait",
    inputSchema: Type.Object({}),
    handler: (_input, { signal }) => {
      waits.begun += 1;
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          waits.aborted.push((signal.reason as CallError).code);
          reject(signal.reason);
        });
      });
    },
  });
  registry.register({
    ...workSpec,
    name: "sum",
    inputSchema: Type.Array(Type.Number()),
    outputSchema: Type.Object({ sum: Type.Number() }),
    _meta: { mcpAnnotations: { destructiveHint: false, idempotentHint: true } },
    handler: (numbers) => ({ sum: numbers.reduce((sum, number) => sum + number, 0) }),
  });
  registry.register({
    ...workSpec,
    name: "fail",
    errorSchemas: [{ code: "BY_ZERO", description: "Nothing divides by 0." }],
    handler: (input) => {
      if (input === undefined) throw new Error("a secret");
      throw new CallError("BY_ZERO", "nothing divides by 0", { details: { by: 0 } });
    },
  });
  registry.register({
    ...addSpec,
    namespace: "public",
    name: "ping",
    inputSchema: Type.Object({}),
    outputSchema: Type.Void(),
    accessControl: { requiredScopes: [], public: true },
    handler: () => undefined,
  });
  return { registry, waits };
}
