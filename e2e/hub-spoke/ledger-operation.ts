import { defineOperation, type OperationContext } from "@alkdev/operations";
import { Type } from "@sinclair/typebox";

/** A mutation that takes an entry. */
export function ledgerOperation(
  name: string,
  handler: (entry: string, context: OperationContext) => string | Promise<string>,
) {
  return defineOperation({
    namespace: name.split(".")[0] as string,
    name: name.split(".")[1] as string,
    version: "1.0.0",
    type: "mutation",
    description: "Takes an entry.",
    inputSchema: Type.Object({ entry: Type.String() }),
    outputSchema: Type.String(),
    accessControl: { requiredScopes: [] },
    handler: ({ entry }, context) => handler(entry, context),
  });
}
