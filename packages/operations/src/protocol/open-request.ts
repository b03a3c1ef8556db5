import { CallError, OperationsError } from "../errors.ts";
import type { CallRequested } from "./call-events.ts";
import type { CallEnvelope, CallWire } from "./call-wire.ts";
import type { Timer, TimerQueue } from "./timer-queue.ts";

/** What a request needs of the caller that makes it. */
export interface RequestHost {
  readonly wire: CallWire;
  readonly timers: TimerQueue;
  /** Id of the topics that requests, aborts and credit take. */
  readonly route: string;
  /** The time in milliseconds since 1970. */
  now(): number;
  /** Routes answers to the request from now on. */
  add(request: OpenRequest): void;
  delete(request: OpenRequest): void;
}

/** Who waits for what comes back. */
export interface RequestSink {
  receive(envelope: CallEnvelope): void;
  /** The call ended on this side: too late, taken back, not sent, closed. At most once. */
  end(error: CallError): void;
}

/** Options of {@link OpenRequest}. */
export interface OpenRequestOptions {
  readonly request: CallRequested;
  readonly signal: AbortSignal | undefined;
  readonly sink: RequestSink;
}

/**
 * A call on its way, as its caller sees it: sent once, watched for its deadline, for silence and for the
 * caller's signal, and taken back at most once.
 */
export class OpenRequest {
  readonly request: CallRequested;
  readonly #host: RequestHost;
  readonly #sink: RequestSink;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.end(this.#abortedBySignal());
  readonly #onTimer = (): void => this.#checkTime();
  #state: "new" | "open" | "settled" = "new";
  #timer: Timer | undefined;
  /** On the clock of the timers, which does not jump. */
  #deadlineAt = Number.POSITIVE_INFINITY;
  #silentAt = Number.POSITIVE_INFINITY;

  constructor({ request, signal, sink }: OpenRequestOptions, host: RequestHost) {
    this.request = request;
    this.#signal = signal;
    this.#sink = sink;
    this.#host = host;
  }

  get open(): boolean {
    return this.#state === "open";
  }

  /**
   * Sends the request, unless it has ended before it began.
   *
   * @throws OperationsError what the caller refuses; everything else ends the call
   */
  send(): void {
    if (this.#state !== "new") return;
    if (this.#signal?.aborted) {
      this.#state = "settled";
      this.#sink.end(this.#abortedBySignal());
      return;
    }
    if (!this.#register()) return;
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (!this.#startTimers()) return;
    try {
      this.#host.wire.send("call.requested", this.#host.route, this.request);
    } catch (cause) {
      if (this.settle()) this.#sink.end(this.#notSent(cause));
    }
  }

  /** Hands on what arrived; it is a sign of life unless told otherwise. */
  receive(envelope: CallEnvelope): void {
    this.#sink.receive(envelope);
  }

  /** The other side lives. */
  touch(): void {
    const { idleTimeout } = this.request;
    if (idleTimeout !== undefined) this.#silentAt = this.#host.timers.now() + idleTimeout;
  }

  /** Lets go of everything. False if that was done before. */
  settle(): boolean {
    const wasOpen = this.#state === "open";
    this.#state = "settled";
    if (!wasOpen) return false;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    if (this.#timer !== undefined) this.#host.timers.remove(this.#timer);
    this.#host.delete(this);
    return true;
  }

  /** Ends the call and tells the other side; nothing if it has ended already. */
  takeBack(): void {
    if (!this.settle()) return;
    const { requestId } = this.request;
    this.#host.wire.trySend("call.aborted", this.#host.route, { requestId });
  }

  /** As {@link takeBack}, and tells who waits. */
  end(error: CallError): void {
    if (!this.open) return;
    this.takeBack();
    this.#sink.end(error);
  }

  #register(): boolean {
    try {
      this.#host.add(this);
      this.#state = "open";
      return true;
    } catch (error) {
      this.#state = "settled";
      if (error instanceof OperationsError) throw error;
      this.#sink.end(this.#notSent(error));
      return false;
    }
  }

  /** False if the deadline has passed already: then nothing is sent. */
  #startTimers(): boolean {
    const { deadline, idleTimeout } = this.request;
    if (deadline === undefined && idleTimeout === undefined) return true;
    if (deadline !== undefined) {
      const left = deadline - this.#host.now();
      if (left <= 0) {
        this.settle();
        this.#sink.end(this.#tooLate());
        return false;
      }
      this.#deadlineAt = this.#host.timers.now() + left;
    }
    this.touch();
    this.#watch();
    return true;
  }

  #watch(): void {
    const at = Math.min(this.#deadlineAt, this.#silentAt);
    this.#timer = this.#host.timers.add(at, this.#onTimer);
  }

  /** Signs of life only move the time; the timer finds out when it fires. */
  #checkTime(): void {
    const now = this.#host.timers.now();
    if (this.#deadlineAt <= now) this.end(this.#tooLate());
    else if (this.#silentAt <= now) this.end(this.#silent());
    else this.#watch();
  }

  #tooLate(): CallError {
    const { requestId, operationId, deadline } = this.request;
    return new CallError("TIMEOUT", `${operationId} did not answer before its deadline`, {
      details: { reason: "deadline", requestId, operationId, deadline },
    });
  }

  #silent(): CallError {
    const { requestId, operationId, idleTimeout } = this.request;
    return new CallError("TIMEOUT", `nothing was heard of ${operationId} for ${idleTimeout} ms`, {
      details: { reason: "silence", requestId, operationId, idleTimeout },
    });
  }

  #abortedBySignal(): CallError {
    const { requestId, operationId } = this.request;
    const cause: unknown = this.#signal?.reason;
    return new CallError("ABORTED", `${operationId} was taken back by its caller`, {
      cause,
      details: { requestId, operationId },
    });
  }

  #notSent(cause: unknown): CallError {
    const { requestId, operationId } = this.request;
    const why = cause instanceof Error ? cause.message : String(cause);
    return new CallError("TRANSPORT_ERROR", `the call of ${operationId} was not sent: ${why}`, {
      cause,
      details: { requestId, operationId },
    });
  }
}
