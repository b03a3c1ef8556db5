import { Type } from "@sinclair/typebox";
import { expect } from "vitest";
import { defineSpec, type Identity, OperationRegistry } from "../src/index.ts";

export const code = (expected: string) => expect.objectContaining({ code: expected });

export const ada: Identity = { id: "ada", scopes: ["math:*"] };

export const addSpec = defineSpec({
  namespace: "math",
  name: "add",
  version: "1.0.0",
  type: "query",
  description: "Adds two numbers.",
  inputSchema: Type.Object({ a: Type.Number(), b: Type.Number() }, { additionalProperties: false }),
  outputSchema: Type.Number(),
  accessControl: { requiredScopes: ["math:read"] },
});

export const countSpec = defineSpec({
  namespace: "math",
  name: "count",
  version: "1.0.0",
  type: "subscription",
  description: "Counts up.",
  inputSchema: Type.Object({ to: Type.Integer() }),
  outputSchema: Type.Integer(),
  accessControl: { requiredScopes: ["math:read"] },
});

/** A registry that keeps what it would warn of. */
export function quietRegistry(options: { now?: () => number; timeoutMs?: number } = {}) {
  const reported: { error: unknown; operationId: string }[] = [];
  const registry = new OperationRegistry({
    ...options,
    onError: (error, { operationId }) => reported.push({ error, operationId }),
  });
  return { registry, reported };
}
