import type { Identity } from "../access/identity.ts";
import { CallError } from "../errors.ts";
import type { CallOptions } from "../operation-context.ts";
import type { CallFailed, CallRequested } from "./call-events.ts";
import type { CallRegistry } from "./call-handler-options.ts";
import type { CallClaim, CallLog, CallOutcome, LoggedCall } from "./call-log.ts";
import type { CallWire } from "./call-wire.ts";
import { CreditGate } from "./credit-gate.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Sender } from "./identify.ts";
import { isPromise } from "./is-promise.ts";
import type { CallErrorReporter } from "./report-call-error.ts";
import type { TimerQueue } from "./timer-queue.ts";

/** What a served call needs of its handler. */
export interface ServingHost {
  readonly registry: CallRegistry;
  readonly wire: CallWire;
  readonly timers: TimerQueue;
  readonly log: CallLog;
  readonly report: CallErrorReporter;
}

/** A request that is being served. */
export class ServedCall {
  readonly request: CallRequested;
  readonly identity: Sender;
  readonly many: boolean;
  readonly #host: ServingHost;
  readonly #controller = new AbortController();
  readonly #gate: CreditGate;
  #heartbeat: Heartbeat | undefined;
  #replyTo: string;
  /** Of a subscription: place of the last event that was sent. */
  #sequence = 0;
  /** Nobody waits any more: nothing is sent. */
  #takenBack = false;

  constructor(request: CallRequested, identity: Sender, host: ServingHost) {
    this.request = request;
    this.identity = identity;
    this.#host = host;
    this.#replyTo = request.replyTo ?? request.requestId;
    const type = host.registry.getSpec(request.operationId)?.type;
    this.many =
      request.answers === undefined ? type === "subscription" : request.answers === "many";
    this.#gate = new CreditGate(request.window ?? Number.POSITIVE_INFINITY);
  }

  /** Serves the call to its end. Resolves when its answer is sent; never rejects. */
  async run(): Promise<void> {
    this.#startHeartbeat();
    try {
      const outcome = await this.#outcome();
      if (outcome !== null) this.#send(outcome);
    } catch (error) {
      this.#send(failed(this.#failure(error)));
    } finally {
      this.#heartbeat?.stop();
    }
  }

  /** The same request arrived again: its answers go where it says now. */
  repeat(request: CallRequested): void {
    this.#replyTo = request.replyTo ?? request.requestId;
  }

  credit(credit: number): void {
    this.#heartbeat?.heard();
    this.#gate.grant(credit);
  }

  /** The caller takes the call back, or is gone. */
  takeBack(): void {
    this.#takenBack = true;
    this.giveUp();
  }

  /** This side gives the call up; the caller is told. */
  giveUp(): void {
    this.#controller.abort();
    this.#gate.open();
  }

  #startHeartbeat(): void {
    const { idleTimeout, window, requestId } = this.request;
    if (idleTimeout === undefined) return;
    this.#heartbeat = new Heartbeat(this.#host.timers, {
      idleTimeout,
      beat: () => {
        const sequence = this.many ? { sequence: this.#sequence } : {};
        this.#host.wire.trySend("call.heartbeat", this.#replyTo, { requestId, ...sequence });
      },
      // a caller that knows credit answers every heartbeat with it
      onSilence: this.many && window !== undefined ? () => this.takeBack() : undefined,
    });
  }

  /** How the call ended, or `null` if another process serves it. */
  async #outcome(): Promise<CallOutcome | null> {
    const { registry } = this.#host;
    const { requestId, operationId } = this.request;
    const identity = isPromise(this.identity) ? await this.identity : this.identity;
    const type = registry.getSpec(operationId)?.type;
    // a query may be asked twice, and an operation that is not there has no effect to be repeated
    if (type === undefined || type === "query") return this.#serve(identity);
    const call: LoggedCall = { requestId, operationId, callerId: identity?.id ?? null };
    const claim = this.#host.log.claim(call);
    const claimed: CallClaim = isPromise(claim) ? await claim : claim;
    if (claimed === "running") return null;
    if (claimed !== "new") return claimed;
    const outcome = await this.#serve(identity);
    await this.#finish(call, outcome);
    return outcome;
  }

  async #finish(call: LoggedCall, outcome: CallOutcome): Promise<void> {
    try {
      await this.#host.log.finish(call, outcome);
    } catch (error) {
      this.#host.report(error, `remembering request ${call.requestId}`);
    }
  }

  async #serve(identity: Identity | null): Promise<CallOutcome> {
    const options = this.#options(identity);
    try {
      return await (this.many ? this.#subscribe(options) : this.#execute(options));
    } catch (thrown) {
      const error = this.#failure(thrown);
      const { aborted } = this.#controller.signal;
      return aborted && error.code === "ABORTED" ? { type: "aborted" } : failed(error);
    }
  }

  /** What the caller is told: all of a `CallError`, and nothing of anything else. */
  #failure(thrown: unknown): CallError {
    if (thrown instanceof CallError) return thrown;
    const { requestId, operationId } = this.request;
    this.#host.report(thrown, `serving request ${requestId}`);
    return new CallError("EXECUTION_ERROR", `${operationId} could not be served`, {
      details: { operationId },
    });
  }

  async #execute(options: CallOptions): Promise<CallOutcome> {
    const { operationId, input } = this.request;
    const output = await this.#host.registry.execute(operationId, input, options);
    return { type: "responded", output };
  }

  async #subscribe(options: CallOptions): Promise<CallOutcome> {
    const { requestId, operationId, input } = this.request;
    const { signal } = this.#controller;
    for await (const output of this.#host.registry.subscribe(operationId, input, options)) {
      if (signal.aborted) break;
      const sequence = this.#sequence + 1;
      this.#host.wire.send("call.responded", this.#replyTo, { requestId, output, sequence });
      this.#sequence = sequence;
      this.#heartbeat?.sent();
      const room = this.#gate.pass();
      if (room !== undefined) await room;
    }
    return signal.aborted ? { type: "aborted" } : { type: "completed" };
  }

  /** What the registry is told. Never more: trust does not travel. */
  #options(identity: Identity | null): CallOptions {
    const { requestId, parentRequestId, deadline, metadata } = this.request;
    return {
      requestId,
      signal: this.#controller.signal,
      ...(identity === null ? {} : { identity }),
      ...(parentRequestId === undefined ? {} : { parentRequestId }),
      ...(deadline === undefined ? {} : { deadline }),
      ...(metadata === undefined ? {} : { metadata }),
    };
  }

  #send(outcome: CallOutcome): void {
    if (this.#takenBack) return;
    const { wire, report } = this.#host;
    const { requestId } = this.request;
    const last = this.many ? { sequence: this.#sequence + 1 } : {};
    switch (outcome.type) {
      case "aborted":
        wire.trySend("call.aborted", this.#replyTo, { requestId });
        return;
      case "completed":
        wire.trySend("call.completed", this.#replyTo, { requestId, ...last });
        return;
      case "failed":
        this.#sendError({ requestId, ...withoutType(outcome), ...last });
        return;
      case "responded":
        try {
          wire.send("call.responded", this.#replyTo, { requestId, output: outcome.output });
        } catch (error) {
          report(error, `answering request ${requestId}`);
          this.#sendError({ requestId, ...withoutType(failed(notSent(this.request))) });
        }
    }
  }

  #sendError(error: CallFailed): void {
    const { wire } = this.#host;
    if (wire.trySend("call.error", this.#replyTo, error)) return;
    // details that cannot travel must not keep the caller waiting
    const { details: _, ...bare } = error;
    if (error.details !== undefined) wire.trySend("call.error", this.#replyTo, bare);
  }
}

type Failure = Extract<CallOutcome, { type: "failed" }>;

function failed({ code, message, details }: CallError): Failure {
  return { type: "failed", code, message, ...(details === undefined ? {} : { details }) };
}

function withoutType({ type: _, ...error }: Failure): Omit<Failure, "type"> {
  return error;
}

function notSent({ operationId }: CallRequested): CallError {
  return new CallError("EXECUTION_ERROR", `the answer of ${operationId} could not be sent`, {
    details: { operationId },
  });
}
