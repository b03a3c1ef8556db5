import { type AnyOperation, defineOperation } from "@alkdev/operations";
import { Type } from "@sinclair/typebox";

const greet = defineOperation({
  namespace: "demo",
  name: "greet",
  version: "1.0.0",
  type: "query",
  description: "Greets somebody.",
  inputSchema: Type.Object({ name: Type.String() }),
  outputSchema: Type.Object({ text: Type.String(), pid: Type.Integer() }),
  accessControl: { requiredScopes: [] },
  handler: ({ name }) => ({ text: `Hello, ${name}`, pid: process.pid }),
});

/** What `alkdev spoke` serves. */
export const operations = (): { readonly operation: AnyOperation }[] => [{ operation: greet }];
