import type { EnvelopeEvent } from "@alkdev/pubsub";
import type { Static, TSchema } from "@sinclair/typebox";
import type { ResponseEnvelope } from "../envelope/response-envelope.ts";
import { CallError, OperationsError } from "../errors.ts";
import { type OperationSpec, operationId } from "../operation-spec.ts";
import type { OperationAnswers } from "../registry/operation-subscription.ts";
import type { CallRequested } from "./call-events.ts";
import { type CallEventType, CallWire } from "./call-wire.ts";
import type {
  Caller,
  CallerOptions,
  CallerStats,
  RemoteCallOptions,
  RemoteSubscribeOptions,
} from "./caller.ts";
import type { OpenRequest, RequestHost } from "./open-request.ts";
import { pendingCall } from "./pending-call.ts";
import { RemoteAnswers } from "./remote-answers.ts";
import { callErrorReporter } from "./report-call-error.ts";
import { requireId, requireWhole } from "./require.ts";
import { TimerQueue } from "./timer-queue.ts";

/** What comes back to a caller. */
const ANSWERS: readonly CallEventType[] = [
  "call.responded",
  "call.completed",
  "call.error",
  "call.aborted",
  "call.heartbeat",
];

/** With three signs of life in between, less would take a busy process for a dead one. */
const SHORTEST_IDLE_MS = 100;

/**
 * Calls operations that are served elsewhere, over any event target.
 *
 * @throws OperationsError `INVALID_ARGUMENT`, and with `replyTo` what the target refuses
 * @example
 * ```ts
 * import { createWebSocketClientEventTarget } from "@alkdev/pubsub/websocket-client";
 *
 * const eventTarget = createWebSocketClientEventTarget({ url: "ws://127.0.0.1:8080/events" });
 * const caller = createCaller({ eventTarget, replyTo: crypto.randomUUID() });
 * const { data } = await caller.call("math.add", { a: 1, b: 2 }, { timeoutMs: 1_000 });
 * for await (const { data } of caller.subscribe("clock.ticks", {})) {
 *   if (data > 3) break; // ends the generator there
 * }
 * ```
 */
export function createCaller(options: CallerOptions): Caller {
  return new PendingRequestMap(options);
}

/** The requests that wait for an answer, by id: what {@link createCaller} makes. */
export class PendingRequestMap implements Caller {
  readonly #replyTo: string | undefined;
  readonly #timeoutMs: number | null;
  readonly #idleTimeoutMs: number | null;
  readonly #window: number;
  readonly #wire: CallWire;
  readonly #timers = new TimerQueue();
  readonly #requests = new Map<string, OpenRequest>();
  readonly #counters = { duplicates: 0, reordered: 0 };
  readonly #host: RequestHost;
  readonly #onAnswer = (event: EnvelopeEvent): void => this.#receive(event);
  #unknown = 0;
  #closed = false;

  /** @throws as {@link createCaller} */
  constructor(options: CallerOptions) {
    const { route = "", timeoutMs = 30_000, idleTimeoutMs = 15_000, window = 256 } = options;
    if (route !== "") requireId(route, "route");
    if (options.replyTo !== undefined) requireId(options.replyTo, "replyTo");
    if (timeoutMs !== null) requireWhole(timeoutMs, "timeoutMs", 1);
    if (idleTimeoutMs !== null) requireWhole(idleTimeoutMs, "idleTimeoutMs", SHORTEST_IDLE_MS);
    requireWhole(window, "window", 1);
    this.#replyTo = options.replyTo;
    this.#timeoutMs = timeoutMs;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#window = window;
    this.#wire = new CallWire(options.eventTarget, callErrorReporter(options.onError));
    this.#host = {
      wire: this.#wire,
      timers: this.#timers,
      route,
      now: options.now ?? Date.now,
      add: (request) => this.#add(request),
      delete: (request) => this.#delete(request),
    };
    if (this.#replyTo !== undefined) this.#wire.listen(ANSWERS, this.#replyTo, this.#onAnswer);
  }

  call<Input extends TSchema, Output extends TSchema>(
    operation: OperationSpec<Input, Output, "query" | "mutation">,
    input: Static<Input>,
    options?: RemoteCallOptions,
  ): Promise<ResponseEnvelope<Static<Output>>>;
  call(id: string, input: unknown, options?: RemoteCallOptions): Promise<ResponseEnvelope>;
  async call(
    operation: OperationSpec | string,
    input: unknown,
    options: RemoteCallOptions = {},
  ): Promise<ResponseEnvelope> {
    const { timeoutMs = this.#timeoutMs } = options;
    const request = this.#request(operation, input, { ...options, timeoutMs });
    return pendingCall({ ...request, answers: "one" }, options.signal, this.#host);
  }

  subscribe<Input extends TSchema, Output extends TSchema>(
    operation: OperationSpec<Input, Output, "subscription">,
    input: Static<Input>,
    options?: RemoteSubscribeOptions,
  ): OperationAnswers<Static<Output>>;
  subscribe(id: string, input: unknown, options?: RemoteSubscribeOptions): OperationAnswers;
  subscribe(
    operation: OperationSpec | string,
    input: unknown,
    options: RemoteSubscribeOptions = {},
  ): OperationAnswers {
    const { window = this.#window, signal } = options;
    requireWhole(window, "window", 1);
    const request = {
      ...this.#request(operation, input, options),
      answers: "many",
      window,
    } as const;
    return new RemoteAnswers({ request, signal, counters: this.#counters }, this.#host);
  }

  getPendingCount(): number {
    return this.#requests.size;
  }

  stats(): CallerStats {
    return {
      pending: this.#requests.size,
      malformed: this.#wire.malformed,
      unknown: this.#unknown,
      ...this.#counters,
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const open of [...this.#requests.values()]) {
      const { requestId, operationId: id } = open.request;
      open.end(
        new CallError("ABORTED", `the caller of ${id} was closed`, {
          details: { requestId, operationId: id },
        }),
      );
    }
    if (this.#replyTo !== undefined) this.#wire.unlisten(ANSWERS, this.#replyTo, this.#onAnswer);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #request(
    operation: OperationSpec | string,
    input: unknown,
    options: RemoteCallOptions,
  ): CallRequested {
    this.#requireOpen();
    const { requestId = crypto.randomUUID(), parentRequestId, identity, metadata } = options;
    const { idleTimeoutMs = this.#idleTimeoutMs } = options;
    requireId(requestId, "requestId");
    if (parentRequestId !== undefined) requireId(parentRequestId, "parentRequestId");
    if (idleTimeoutMs !== null) requireWhole(idleTimeoutMs, "idleTimeoutMs", SHORTEST_IDLE_MS);
    const id = typeof operation === "string" ? operation : operationId(operation);
    requireId(id, "operation");
    const deadline = this.#deadline(options);
    const replyTo = this.#replyTo;
    return {
      requestId,
      operationId: id,
      input,
      ...(parentRequestId === undefined ? {} : { parentRequestId }),
      ...(deadline === undefined ? {} : { deadline }),
      ...(idleTimeoutMs === null ? {} : { idleTimeout: idleTimeoutMs }),
      ...(identity === undefined ? {} : { identity }),
      ...(metadata === undefined ? {} : { metadata }),
      ...(replyTo === undefined ? {} : { replyTo }),
    };
  }

  #deadline({ deadline, timeoutMs = null }: RemoteCallOptions): number | undefined {
    if (deadline !== undefined) requireWhole(deadline, "deadline", 0);
    if (timeoutMs === null) return deadline;
    requireWhole(timeoutMs, "timeoutMs", 1);
    const own = Math.min(Math.floor(this.#host.now()) + timeoutMs, Number.MAX_SAFE_INTEGER);
    return deadline === undefined ? own : Math.min(own, deadline);
  }

  #requireOpen(): void {
    if (this.#closed) throw new OperationsError("CLOSED", "cannot call: the caller is closed");
  }

  /** @throws OperationsError `CLOSED`, `INVALID_ARGUMENT`, and what the target refuses */
  #add(open: OpenRequest): void {
    this.#requireOpen();
    const { requestId } = open.request;
    if (this.#requests.has(requestId)) {
      throw new OperationsError("INVALID_ARGUMENT", `request "${requestId}" is open already`, {
        hint: "Leave requestId out for a new call",
        details: { requestId },
      });
    }
    if (this.#replyTo === undefined) this.#wire.listen(ANSWERS, requestId, this.#onAnswer);
    this.#requests.set(requestId, open);
  }

  #delete({ request: { requestId } }: OpenRequest): void {
    this.#requests.delete(requestId);
    if (this.#replyTo === undefined) this.#wire.unlisten(ANSWERS, requestId, this.#onAnswer);
  }

  #receive(event: EnvelopeEvent): void {
    const envelope = this.#wire.read(event);
    if (envelope === null) return;
    const { requestId } = envelope.payload;
    const own = this.#replyTo ?? requestId;
    const open = envelope.id === own ? this.#requests.get(requestId) : undefined;
    if (open === undefined) this.#unknown += 1;
    else open.receive(envelope);
  }
}
