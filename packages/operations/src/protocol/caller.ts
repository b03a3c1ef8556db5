import type { TypedEventTarget } from "@alkdev/pubsub";
import type { Static, TSchema } from "@sinclair/typebox";
import type { Identity } from "../access/identity.ts";
import type { ResponseEnvelope } from "../envelope/response-envelope.ts";
import type { OperationSpec } from "../operation-spec.ts";
import type { OperationAnswers } from "../registry/operation-subscription.ts";
import type { CallErrorHandler } from "./report-call-error.ts";

/** Options of {@link createCaller}. */
export interface CallerOptions {
  /** Where calls go out and answers come in. It is not closed by `close()`: you made it. */
  readonly eventTarget: TypedEventTarget;
  /** Whom calls go to: the `route` of a call handler. Default `""`. */
  readonly route?: string;
  /**
   * An id for the topics that all answers to this caller take. It must belong to this caller alone: a
   * configured name, or a UUID where others could listen. Default: none; each call listens to topics of its
   * own, `call.responded:{requestId}`. Set it on transports that are told of every topic (WebSocket,
   * worker threads, Redis, NATS) and for thousands of open calls. It is listened to from the start.
   */
  readonly replyTo?: string;
  /** Milliseconds a call may take, for calls that say nothing else. Default 30,000; `null`: for ever. */
  readonly timeoutMs?: number | null;
  /**
   * Milliseconds without any sign of life after which the other side counts as dead. It is asked to send
   * one three times as often. Default 15,000, at least 100; `null`: never.
   */
  readonly idleTimeoutMs?: number | null;
  /** Answers of a subscription that may wait here; the other side pauses at more. Default 256. */
  readonly window?: number;
  /** Gets malformed events and what could not be sent. Default: a process warning. */
  readonly onError?: CallErrorHandler;
  /** The time in milliseconds since 1970, for deadlines. Default: `Date.now`. */
  readonly now?: () => number;
}

/** Options of {@link Caller.call}. */
export interface RemoteCallOptions {
  /** Default: a new UUID. Give that of an earlier call to ask for its result again. */
  readonly requestId?: string;
  /** The call this one is made for. */
  readonly parentRequestId?: string;
  /** Who calls. A hub puts what it knows in its place. */
  readonly identity?: Identity;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Takes the call back: it rejects with `ABORTED`, a subscription just ends. */
  readonly signal?: AbortSignal;
  /** Milliseconds since 1970 after which nobody waits. With `timeoutMs`, the earlier one counts. */
  readonly deadline?: number;
  /** Milliseconds it may take. Default: that of the caller; subscriptions may take for ever. */
  readonly timeoutMs?: number | null;
  /** As in {@link CallerOptions}. Default: that of the caller. */
  readonly idleTimeoutMs?: number | null;
}

/** Options of {@link Caller.subscribe}. */
export interface RemoteSubscribeOptions extends RemoteCallOptions {
  /** As in {@link CallerOptions}. Default: that of the caller. */
  readonly window?: number;
}

/** Counters of a caller, since its start but for `pending`. */
export interface CallerStats {
  /** Calls and subscriptions that are open now. */
  readonly pending: number;
  /** Events that could not be understood. */
  readonly malformed: number;
  /** Events of calls that are settled, or were never made here. */
  readonly unknown: number;
  /** Events of a subscription that came again. */
  readonly duplicates: number;
  /** Events of a subscription that came before their turn. */
  readonly reordered: number;
}

/** Calls operations that are served elsewhere. */
export interface Caller extends Disposable {
  /**
   * Calls a query or mutation. Given the spec instead of its id, input and output are typed.
   *
   * @throws CallError what the other side answers; `TIMEOUT` at the deadline or after silence
   * (`details.reason`), `ABORTED` by the signal, by `close()` or by the other side, `TRANSPORT_ERROR` if it
   * could not be sent
   * @throws OperationsError `CLOSED`, `INVALID_ARGUMENT`
   */
  call<Input extends TSchema, Output extends TSchema>(
    operation: OperationSpec<Input, Output, "query" | "mutation">,
    input: Static<Input>,
    options?: RemoteCallOptions,
  ): Promise<ResponseEnvelope<Static<Output>>>;
  call(id: string, input: unknown, options?: RemoteCallOptions): Promise<ResponseEnvelope>;

  /**
   * Subscribes to a subscription: the request is sent at the first `next()`. The iteration throws what ended
   * it, after the answers that came before; the caller's own signal just ends it. Leaving the loop ends the
   * generator on the other side.
   *
   * @throws OperationsError `CLOSED`, `INVALID_ARGUMENT`. The iteration throws as {@link call}, and
   * `TRANSPORT_ERROR` if answers were lost
   */
  subscribe<Input extends TSchema, Output extends TSchema>(
    operation: OperationSpec<Input, Output, "subscription">,
    input: Static<Input>,
    options?: RemoteSubscribeOptions,
  ): OperationAnswers<Static<Output>>;
  subscribe(id: string, input: unknown, options?: RemoteSubscribeOptions): OperationAnswers;

  /** How many calls and subscriptions are open. */
  getPendingCount(): number;
  stats(): CallerStats;
  /** Takes every open call back: it ends with `ABORTED`. Idempotent. */
  close(): void;
}
