import { type TUnsafe, Type } from "@sinclair/typebox";
import { type Identity, IdentitySchema } from "../access/identity.ts";
import { ResponseEnvelopeSchema } from "../envelope/envelope-schema.ts";
import type { ResponseEnvelope } from "../envelope/response-envelope.ts";
import { LONGEST_ID } from "./require.ts";

/** A call begins: from the caller, on the topic of a route. */
export interface CallRequested {
  /** Unique, and hard to guess where others share the transport. */
  readonly requestId: string;
  readonly operationId: string;
  readonly input?: unknown;
  /** The call this one was made for. */
  readonly parentRequestId?: string;
  /** Milliseconds since 1970 after which nobody waits. */
  readonly deadline?: number;
  /** Milliseconds of silence after which the caller takes the other side for dead: asks for heartbeats. */
  readonly idleTimeout?: number;
  /** Who the caller says it is. A hub puts what it knows in its place. */
  readonly identity?: Identity;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Whether one answer is expected or a sequence. Left out: as the operation has it. */
  readonly answers?: "one" | "many";
  /** Answers that may be sent before `call.credit` allows more. Left out: all of them. */
  readonly window?: number;
  /** Id of the topics that answers take. Left out: `requestId`. */
  readonly replyTo?: string;
}

/** An answer: the only one, or one of a subscription. */
export interface CallResponded {
  readonly requestId: string;
  readonly output: ResponseEnvelope;
  /** Place among the events of a subscription, from 1. */
  readonly sequence?: number;
}

/** A subscription ended by itself. */
export interface CallCompleted {
  readonly requestId: string;
  /** One more than that of the last answer. */
  readonly sequence?: number;
}

/** The call was taken back by its caller, or given up by the side that serves it. */
export interface CallAborted {
  readonly requestId: string;
}

/** The call failed. */
export interface CallFailed {
  readonly requestId: string;
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
  /** As in {@link CallCompleted}. */
  readonly sequence?: number;
}

/** The call is still worked on. */
export interface CallHeartbeat {
  readonly requestId: string;
  /** Place of the last answer that was sent, 0 before the first. */
  readonly sequence?: number;
}

/** The caller of a subscription lives, and can take more. */
export interface CallCredit {
  readonly requestId: string;
  /** Answers it can take in all, counted from the first. It only grows. */
  readonly credit: number;
}

/**
 * What travels, by event type. Requests, aborts of the caller and credit go to `type:{route}`, everything
 * else to `type:{requestId}`, or `type:{replyTo}` where the request names one.
 */
export interface CallEvents {
  "call.requested": CallRequested;
  "call.responded": CallResponded;
  "call.completed": CallCompleted;
  "call.aborted": CallAborted;
  "call.error": CallFailed;
  "call.heartbeat": CallHeartbeat;
  "call.credit": CallCredit;
}

const Id = Type.String({ minLength: 1, maxLength: LONGEST_ID });
const Sequence = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Milliseconds = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/**
 * The schemas of {@link CallEvents}. Unknown properties are let through and ignored, so that a newer side
 * can talk to an older one.
 */
export const callEventSchemas: {
  readonly [EventType in keyof CallEvents]: TUnsafe<CallEvents[EventType]>;
} = {
  "call.requested": Type.Unsafe(
    Type.Object({
      requestId: Id,
      operationId: Id,
      input: Type.Optional(Type.Unknown()),
      parentRequestId: Type.Optional(Id),
      deadline: Type.Optional(Milliseconds),
      idleTimeout: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
      identity: Type.Optional(IdentitySchema),
      metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      answers: Type.Optional(Type.Union([Type.Literal("one"), Type.Literal("many")])),
      window: Type.Optional(Sequence),
      replyTo: Type.Optional(Id),
    }),
  ),
  "call.responded": Type.Unsafe(
    Type.Object({
      requestId: Id,
      output: ResponseEnvelopeSchema,
      sequence: Type.Optional(Sequence),
    }),
  ),
  "call.completed": Type.Unsafe(Type.Object({ requestId: Id, sequence: Type.Optional(Sequence) })),
  "call.aborted": Type.Unsafe(Type.Object({ requestId: Id })),
  "call.error": Type.Unsafe(
    Type.Object({
      requestId: Id,
      code: Type.String({ minLength: 1 }),
      message: Type.String(),
      details: Type.Optional(Type.Unknown()),
      sequence: Type.Optional(Sequence),
    }),
  ),
  "call.heartbeat": Type.Unsafe(
    Type.Object({ requestId: Id, sequence: Type.Optional(Milliseconds) }),
  ),
  "call.credit": Type.Unsafe(Type.Object({ requestId: Id, credit: Sequence })),
};
