import type { EnvelopeEvent, EventEnvelope, TypedEventTarget } from "@alkdev/pubsub";
import type { Identity } from "../access/identity.ts";
import type { ResponseEnvelope } from "../envelope/response-envelope.ts";
import type { CallOptions } from "../operation-context.ts";
import type { OperationSpec } from "../operation-spec.ts";
import type { OperationAnswers } from "../registry/operation-subscription.ts";
import type { CallAborted, CallCredit, CallRequested } from "./call-events.ts";
import type { CallLog } from "./call-log.ts";
import type { CallErrorHandler } from "./report-call-error.ts";

/** What a call handler serves: an `OperationRegistry`, or anything that answers like one. */
export interface CallRegistry {
  getSpec(id: string): Pick<OperationSpec, "type"> | null;
  execute(id: string, input: unknown, call: CallOptions): Promise<ResponseEnvelope>;
  subscribe(id: string, input: unknown, call: CallOptions): OperationAnswers;
}

/** An event of a caller, as it arrived: a request, an abort or credit. */
export type CallerEvent = EnvelopeEvent<
  EventEnvelope<
    "call.requested" | "call.aborted" | "call.credit",
    CallRequested | CallAborted | CallCredit
  >
>;

/** Says who sent an event, by what is known of its connection; `null` for a stranger. */
export type IdentityOf = (event: CallerEvent) => Identity | null | Promise<Identity | null>;

/** Options of {@link createCallHandler}. */
export interface CallHandlerOptions {
  readonly registry: CallRegistry;
  /** Where calls come in and answers go out. It is not closed by `close()`: you made it. */
  readonly eventTarget: TypedEventTarget;
  /** Which calls: those whose caller has this route. Default `""`. */
  readonly route?: string;
  /**
   * Who calls. What it returns takes the place of any identity in the request; an error it throws is the
   * caller's answer if it is a `CallError`, and `ACCESS_DENIED` otherwise. It is asked again for aborts and
   * credit, which only the caller may send. Default: everybody is a stranger.
   */
  readonly identityOf?: IdentityOf;
  /** Believes the identity in the request. Only where all who can send are your own code. */
  readonly trustIdentity?: true;
  /** Queries and mutations that run at once; more are answered with `OVERLOADED`. Default 1,000. */
  readonly maxCalls?: number;
  /** Subscriptions that run at once; more are answered with `OVERLOADED`. Default 10,000. */
  readonly maxSubscriptions?: number;
  /**
   * Remembers calls, so that a request that arrives again is not run again. Default: one in memory. Queries
   * are only kept from running twice at once.
   */
  readonly callLog?: CallLog;
  /** Gets malformed events, failures of `identityOf` and the log, and what could not be sent. Default: a process warning. */
  readonly onError?: CallErrorHandler;
}

/** Options of {@link CallHandler.close}. */
export interface CloseCallHandlerOptions {
  /** Milliseconds that running queries and mutations may take to end. Default 10,000. */
  readonly drainMs?: number;
}

/** Counters of a call handler, since its start but for `calls` and `subscriptions`. */
export interface CallHandlerStats {
  /** Queries and mutations that run now. */
  readonly calls: number;
  /** Subscriptions that run now. */
  readonly subscriptions: number;
  /** Requests that were taken on. */
  readonly served: number;
  /** Requests that were answered with `OVERLOADED`. */
  readonly overloaded: number;
  /** Requests that arrived again. */
  readonly duplicates: number;
  /** Events that could not be understood. */
  readonly malformed: number;
  /** Aborts and credit for calls that do not run here, or of somebody else. */
  readonly unknown: number;
}

/** Serves calls that come over an event target. */
export interface CallHandler extends AsyncDisposable {
  stats(): CallHandlerStats;
  /**
   * Takes no more calls, ends subscriptions, and waits for what runs; what still runs after `drainMs` is
   * aborted, and its callers get `ABORTED`. Idempotent.
   */
  close(options?: CloseCallHandlerOptions): Promise<void>;
}
