import type { EnvelopeEvent } from "@alkdev/pubsub";
import { OperationsError } from "../errors.ts";
import type { CallRequested } from "./call-events.ts";
import type {
  CallerEvent,
  CallHandler,
  CallHandlerOptions,
  CallHandlerStats,
  CloseCallHandlerOptions,
} from "./call-handler-options.ts";
import { type CallEventType, CallWire } from "./call-wire.ts";
import { type Identify, identifyBy, sameSender } from "./identify.ts";
import { createMemoryCallLog } from "./memory-call-log.ts";
import { type CallErrorReporter, callErrorReporter } from "./report-call-error.ts";
import { isId, requireId, requireWhole } from "./require.ts";
import { ServedCall, type ServingHost } from "./served-call.ts";
import { TimerQueue } from "./timer-queue.ts";

/** About calls that run already; heard until the last of them has ended. */
const ABOUT_CALLS: readonly CallEventType[] = ["call.aborted", "call.credit"];

/**
 * Serves the operations of a registry to callers on an event target.
 *
 * A request that arrives again is not run again while it runs or is remembered: its caller gets the same
 * outcome. Aborts and deadlines reach the handler's signal; a subscription pauses while its caller has no
 * room.
 *
 * @throws OperationsError `INVALID_ARGUMENT`
 * @example
 * ```ts
 * const handler = createCallHandler({
 *   registry,
 *   eventTarget,
 *   identityOf: (event) => identities.get(event) ?? null, // from the connection, never from the event
 * });
 * await handler.close({ drainMs: 5_000 });
 * ```
 */
export function createCallHandler(options: CallHandlerOptions): CallHandler {
  return new RegistryCallHandler(options);
}

class RegistryCallHandler implements CallHandler {
  readonly #identify: Identify;
  /** Whether senders are told apart at all. */
  readonly #anonymous: boolean;
  readonly #route: string;
  readonly #maxCalls: number;
  readonly #maxSubscriptions: number;
  readonly #host: ServingHost;
  readonly #report: CallErrorReporter;
  readonly #running = new Map<string, ServedCall>();
  readonly #onEvent = (event: EnvelopeEvent): Promise<void> | undefined => this.#receive(event);
  #calls = 0;
  #subscriptions = 0;
  #served = 0;
  #overloaded = 0;
  #duplicates = 0;
  #unknown = 0;
  #closing: Promise<void> | undefined;
  /** Called when the last query or mutation has ended. */
  #onDrained: (() => void) | undefined;

  constructor(options: CallHandlerOptions) {
    const { route = "", maxCalls = 1_000, maxSubscriptions = 10_000 } = options;
    if (route !== "") requireId(route, "route");
    requireWhole(maxCalls, "maxCalls", 0);
    requireWhole(maxSubscriptions, "maxSubscriptions", 0);
    this.#route = route;
    this.#maxCalls = maxCalls;
    this.#maxSubscriptions = maxSubscriptions;
    this.#report = callErrorReporter(options.onError);
    this.#identify = identifyBy(options, this.#report);
    this.#anonymous = options.identityOf === undefined;
    this.#host = {
      registry: options.registry,
      wire: new CallWire(options.eventTarget, this.#report),
      timers: new TimerQueue(),
      log: options.callLog ?? createMemoryCallLog(),
      report: this.#report,
    };
    // aborts first: where topics are read apart, none is missed by a call that has started
    this.#host.wire.listen([...ABOUT_CALLS, "call.requested"], route, this.#onEvent);
  }

  stats(): CallHandlerStats {
    return {
      calls: this.#calls,
      subscriptions: this.#subscriptions,
      served: this.#served,
      overloaded: this.#overloaded,
      duplicates: this.#duplicates,
      malformed: this.#host.wire.malformed,
      unknown: this.#unknown,
    };
  }

  close({ drainMs = 10_000 }: CloseCallHandlerOptions = {}): Promise<void> {
    requireWhole(drainMs, "drainMs", 0);
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(drainMs: number): Promise<void> {
    const { wire, timers } = this.#host;
    wire.unlisten(["call.requested"], this.#route, this.#onEvent);
    // a subscription may have no end to wait for
    for (const served of this.#running.values()) if (served.many) served.giveUp();
    const giveUp = timers.add(timers.now() + drainMs, () => {
      for (const served of this.#running.values()) served.giveUp();
    });
    await this.#drained();
    timers.remove(giveUp);
    wire.unlisten(ABOUT_CALLS, this.#route, this.#onEvent);
  }

  #drained(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }

  /** The promise, if there is one, settles when the event has been dealt with: durable targets wait for it. */
  #receive(event: EnvelopeEvent): Promise<void> | undefined {
    const envelope = this.#host.wire.read(event);
    if (envelope === null) {
      this.#refuseMalformed(event);
      return undefined;
    }
    switch (envelope.type) {
      case "call.requested":
        return this.#onRequested(envelope.payload, event as CallerEvent);
      case "call.aborted": {
        const { requestId } = envelope.payload;
        return this.#aboutCall(requestId, event as CallerEvent, (served) => served.takeBack());
      }
      case "call.credit": {
        const { requestId, credit } = envelope.payload;
        return this.#aboutCall(requestId, event as CallerEvent, (served) => served.credit(credit));
      }
      default:
        return undefined;
    }
  }

  #onRequested(request: CallRequested, event: CallerEvent): Promise<void> | undefined {
    const running = this.#running.get(request.requestId);
    if (running !== undefined) return this.#repeat(running, request, event);
    const served = new ServedCall(request, this.#identify(request, event), this.#host);
    const full = served.many
      ? this.#subscriptions >= this.#maxSubscriptions
      : this.#calls >= this.#maxCalls;
    if (full) {
      this.#refuseFull(request, served.many);
      return undefined;
    }
    void this.#serve(served);
    return undefined;
  }

  async #serve(served: ServedCall): Promise<void> {
    const { requestId } = served.request;
    this.#running.set(requestId, served);
    this.#served += 1;
    if (served.many) this.#subscriptions += 1;
    else this.#calls += 1;
    await served.run();
    this.#running.delete(requestId);
    if (served.many) this.#subscriptions -= 1;
    else this.#calls -= 1;
    if (this.#running.size === 0) this.#onDrained?.();
  }

  async #repeat(running: ServedCall, request: CallRequested, event: CallerEvent): Promise<void> {
    const same =
      running.request.operationId === request.operationId &&
      (await sameSender(running.identity, this.#identify(request, event)));
    if (same) {
      this.#duplicates += 1;
      running.repeat(request);
      return;
    }
    // no answer: it would go to the topics of the call that runs
    this.#unknown += 1;
    const { requestId } = request;
    this.#report(
      new OperationsError("MALFORMED_EVENT", `request "${requestId}" is already another's`, {
        details: { requestId },
      }),
      "a call event",
    );
  }

  #aboutCall(
    requestId: string,
    event: CallerEvent,
    action: (served: ServedCall) => void,
  ): Promise<void> | undefined {
    const served = this.#running.get(requestId);
    if (served === undefined) this.#unknown += 1;
    else if (this.#anonymous) action(served);
    else return this.#ifCaller(served, event, action);
    return undefined;
  }

  async #ifCaller(
    served: ServedCall,
    event: CallerEvent,
    action: (served: ServedCall) => void,
  ): Promise<void> {
    if (await sameSender(served.identity, this.#identify(served.request, event))) action(served);
    else this.#unknown += 1;
  }

  #refuseFull(request: CallRequested, many: boolean): void {
    this.#overloaded += 1;
    const { requestId, operationId, replyTo = requestId } = request;
    const what = many ? "subscriptions" : "calls";
    const limit = many ? this.#maxSubscriptions : this.#maxCalls;
    this.#host.wire.trySend("call.error", replyTo, {
      requestId,
      code: "OVERLOADED",
      message: `${operationId} was not run: ${limit} ${what} run already; try again later`,
      details: { operationId, limit },
      ...(many ? { sequence: 1 } : {}),
    });
  }

  /** A caller whose request cannot be understood would wait in vain. */
  #refuseMalformed({ type, detail }: EnvelopeEvent): void {
    if (!type.startsWith("call.requested:")) return;
    const { requestId } = (detail?.payload ?? {}) as { readonly requestId?: unknown };
    if (!isId(requestId) || this.#running.has(requestId)) return;
    this.#host.wire.trySend("call.error", requestId, {
      requestId,
      code: "VALIDATION_ERROR",
      message: "the request is no well formed call.requested",
    });
  }
}
