// Operations of the tests; without vitest, so that threads and processes can import them.
import { Type } from "@sinclair/typebox";
import { defineSpec, type Identity } from "../src/index.ts";

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

/** A mutation whose handler a test chooses. */
export const workSpec = defineSpec({
  namespace: "math",
  name: "work",
  version: "1.0.0",
  type: "mutation",
  description: "Does what the test says.",
  inputSchema: Type.Unknown(),
  outputSchema: Type.Unknown(),
  accessControl: { requiredScopes: ["math:write"] },
});
