import { Type } from "@sinclair/typebox";
import { edgeAttributes, edgeConstraints, graphConfig, nodeAttributes } from "./attributes.ts";
import { defineModule } from "./define-module.ts";
import { exact, Id, IsoTime, ResourceActions, Scope } from "./shared-types.ts";

/**
 * Calls of operations as they happened: one node per request, an edge `triggered` from each call to the
 * calls it made, and an edge `depends_on` to calls whose results it used. Projected from call events.
 */
export const CallGraph = defineModule(
  { name: "call_graph", description: "Calls of operations and what triggered them" },
  {
    Config: graphConfig({ type: "directed", multi: false, allowSelfLoops: false }),
    CallStatus: Type.Union([
      Type.Literal("pending"),
      Type.Literal("running"),
      Type.Literal("completed"),
      Type.Literal("failed"),
      Type.Literal("aborted"),
    ]),
    CallError: exact({
      code: Id,
      message: Type.String(),
      details: Type.Optional(Type.Unknown()),
    }),
    CallIdentity: exact({
      id: Id,
      scopes: Type.Array(Scope),
      resources: Type.Optional(ResourceActions),
    }),
    CallResult: exact({
      status: Type.Ref("CallStatus"),
      output: Type.Optional(Type.Unknown()),
      error: Type.Optional(Type.Ref("CallError")),
    }),
    CallNode: nodeAttributes(
      {
        requestId: Id,
        operationId: Id,
        status: Type.Ref("CallStatus"),
        parentRequestId: Type.Optional(Id),
        input: Type.Optional(Type.Unknown()),
        output: Type.Optional(Type.Unknown()),
        error: Type.Optional(Type.Ref("CallError")),
        identity: Type.Optional(Type.Ref("CallIdentity")),
        startedAt: Type.Optional(IsoTime),
        completedAt: Type.Optional(IsoTime),
      },
      { description: "One call of an operation, known by its request id" },
    ),
    TriggeredEdge: edgeAttributes({}, { description: "The source made the target call" }),
    TriggeredEdgeConstraints: edgeConstraints({ from: ["call"], to: ["call"] }),
    DependsOnEdge: edgeAttributes({}, { description: "The source used the target's result" }),
    DependsOnEdgeConstraints: edgeConstraints({ from: ["call"], to: ["call"] }),
  },
);
