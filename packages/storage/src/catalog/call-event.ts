import { Type } from "@sinclair/typebox";
import { Exact, Id, Timestamp } from "./schemas.ts";

const Identity = Exact({
  id: Id,
  scopes: Type.Array(Type.String()),
  resources: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
});

/** Place among the events of a subscription, from 1. */
const Sequence = Type.Optional(Type.Integer({ minimum: 1 }));

/** What was too large or too secret to be in the event. */
const LeftOut = Type.Optional(
  Type.Array(Type.Union([Type.Literal("input"), Type.Literal("output"), Type.Literal("details")])),
);

/** An event of a call. */
export const CallEvent = Type.Union([
  Exact({
    type: Type.Literal("call.requested"),
    requestId: Id,
    operationId: Id,
    input: Type.Optional(Type.Unknown()),
    parentRequestId: Type.Optional(Id),
    /** Milliseconds since 1970 after which nobody waits for the answer. */
    deadline: Type.Optional(Timestamp),
    /** Milliseconds between two answers of a subscription. */
    idleTimeout: Type.Optional(Type.Integer({ minimum: 1 })),
    identity: Type.Optional(Identity),
    metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    answers: Type.Optional(Type.Union([Type.Literal("one"), Type.Literal("many")])),
    /** Answers that may be sent before the caller allows more. */
    window: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Id of the topics that answers take, where it is not the request's. */
    replyTo: Type.Optional(Id),
    leftOut: LeftOut,
  }),
  Exact({
    type: Type.Literal("call.responded"),
    requestId: Id,
    output: Type.Optional(Type.Unknown()),
    sequence: Sequence,
    leftOut: LeftOut,
  }),
  Exact({ type: Type.Literal("call.completed"), requestId: Id, sequence: Sequence }),
  Exact({ type: Type.Literal("call.aborted"), requestId: Id }),
  Exact({
    type: Type.Literal("call.error"),
    requestId: Id,
    code: Id,
    message: Type.String(),
    details: Type.Optional(Type.Unknown()),
    sequence: Sequence,
    leftOut: LeftOut,
  }),
]);
