import { CALL_STATUSES, type Call, type CallStatus } from "@alkdev/storage/sqlite";
import { type TUnsafe, Type } from "@sinclair/typebox";
import { Count, closed, Json, JsonObject, nullable, oneOf } from "./schemas.ts";

/** A call of the call graph. */
export const CallSchema: TUnsafe<Call> = Type.Unsafe<Call>(
  closed({
    requestId: Type.String(),
    operationId: Type.String(),
    status: oneOf(CALL_STATUSES),
    parentRequestId: nullable(Type.String()),
    input: Type.Optional(Json),
    output: Type.Optional(Json),
    error: Type.Optional(
      closed({ code: Type.String(), message: Type.String(), details: Type.Optional(Json) }),
    ),
    identity: nullable(JsonObject),
    startedAt: Type.String(),
    completedAt: nullable(Type.String()),
    durationMs: nullable(Type.Number()),
    leftOut: Type.Array(Type.String()),
  }),
);

/** How many calls there are of each status. */
export const CallCountsSchema: TUnsafe<Readonly<Record<CallStatus, number>>> = Type.Unsafe(
  closed(Object.fromEntries(CALL_STATUSES.map((status) => [status, Count]))),
);
