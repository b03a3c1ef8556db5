import { CallError, defineOperation, type OperationSpec, operationId } from "@alkdev/operations";
import { specFromJson } from "@alkdev/operations/json-schema";
import { Type } from "@sinclair/typebox";
import { placeOf } from "../core/call-place.ts";
import type { HubOperation } from "../journal/hub-operation.ts";
import { REGISTER_SPOKE, SPOKE_NAME } from "../protocol/spoke-protocol.ts";

const [NAMESPACE = "", NAME = ""] = REGISTER_SPOKE.split(".");

/** The operation by which a spoke tells its hub what it serves, on every connection. */
export function registerSpoke(isReserved: (namespace: string) => boolean): HubOperation {
  const operation = defineOperation({
    namespace: NAMESPACE,
    name: NAME,
    version: "1.0.0",
    type: "mutation",
    description: "Offers the operations of the connection's spoke to members of the organisation.",
    inputSchema: Type.Object(
      {
        name: Type.String({ pattern: SPOKE_NAME }),
        instance: Type.String({ minLength: 1, maxLength: 128 }),
        operations: Type.Array(Type.Unknown(), { maxItems: 1_000 }),
      },
      { additionalProperties: false },
    ),
    outputSchema: Type.Object({ operations: Type.Array(Type.String()) }),
    accessControl: { requiredScopes: ["spokes:write"] },
    errorSchemas: [
      {
        code: "NO_CONNECTION",
        description: "It was not called over a WebSocket.",
        httpStatus: 409,
      },
      { code: "SPOKE_NAME_TAKEN", description: "Another process of that name is connected." },
      { code: "ALREADY_EXISTS", description: "An operation is of another spoke, or of the hub." },
      { code: "INVALID_SPEC", description: "A spec cannot be served." },
    ],
    handler: ({ name, instance, operations }, context) => {
      const { tenant, origin } = placeOf(context);
      if (tenant === null || origin === null) {
        throw new CallError("NO_CONNECTION", "spokes register over a WebSocket in an organisation");
      }
      const specs = operations.map(readSpec);
      const reserved = specs.find((spec) => isReserved(spec.namespace));
      if (reserved !== undefined) {
        throw new CallError(
          "ALREADY_EXISTS",
          `namespace "${reserved.namespace}" of operation "${operationId(reserved)}" is the hub's own`,
        );
      }
      tenant.spokes.register(origin.connection, {
        name,
        instance,
        operations: specs,
        json: operations,
      });
      return { operations: specs.map(operationId) };
    },
  });
  return { operation };
}

function readSpec(json: unknown): OperationSpec {
  try {
    return specFromJson(json);
  } catch (error) {
    throw new CallError("INVALID_SPEC", (error as Error).message, { cause: error });
  }
}
