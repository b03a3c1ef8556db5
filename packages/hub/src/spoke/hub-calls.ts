import { randomUUID } from "node:crypto";
import {
  CallError,
  type Caller,
  createCaller,
  type OperationSpec,
  type RemoteCallOptions,
  type ResponseEnvelope,
} from "@alkdev/operations";
import type { EnvelopeEvent, TypedEventTarget } from "@alkdev/pubsub";
import type { Static, TSchema } from "@sinclair/typebox";
import type { HubError } from "../errors.ts";
import { pause } from "../protocol/pause.ts";

/** Options of {@link HubCaller.call}. */
export type HubCallOptions = Omit<RemoteCallOptions, "identity" | "idleTimeoutMs">;

/** Options of {@link HubCaller.subscribe}. */
export interface HubSubscribeOptions extends HubCallOptions {
  /** Answers that may wait here; the hub pauses at more. Default 256. */
  readonly window?: number;
  /**
   * Property of the input that takes the `offset` of the last answer, as `_meta.resumeBy` of the operation
   * says: then a lost connection is bridged. Default: it ends the iteration with `TRANSPORT_ERROR`.
   */
  readonly resumeBy?: string;
}

/** Calls operations of a hub, and of the spokes it knows. */
export interface HubCaller {
  /**
   * Calls a query or mutation. It waits for a connection, and is sent again under its request id when the
   * connection breaks, until its deadline: what it changes, it changes once.
   *
   * @throws CallError as `Caller.call`: `TIMEOUT` at the deadline, what the operation answers
   * @throws HubError `REFUSED`, `CLOSED`
   */
  call<Input extends TSchema, Output extends TSchema>(
    operation: OperationSpec<Input, Output, "query" | "mutation">,
    input: Static<Input>,
    options?: HubCallOptions,
  ): Promise<ResponseEnvelope<Static<Output>>>;
  call(id: string, input: unknown, options?: HubCallOptions): Promise<ResponseEnvelope>;

  /** Subscribes to a subscription, from the first `next()` on. @throws as {@link call}, while it iterates */
  subscribe<Input extends TSchema, Output extends TSchema>(
    operation: OperationSpec<Input, Output, "subscription">,
    input: Static<Input>,
    options?: HubSubscribeOptions,
  ): AsyncGenerator<ResponseEnvelope<Static<Output>>, undefined>;
  subscribe(
    id: string,
    input: unknown,
    options?: HubSubscribeOptions,
  ): AsyncGenerator<ResponseEnvelope, undefined>;
}

/** Milliseconds a call may take that says nothing else. */
const TIMEOUT_MS = 30_000;
/** How a call ends whose outcome the hub knows, or will know, when it is asked again. */
const AGAIN: ReadonlySet<string> = new Set(["ABORTED", "CALL_RUNNING", "UNAVAILABLE"]);
/** Milliseconds before it is asked again: at first, and at most. */
const AGAIN_MS = [100, 1_000] as const;

/** A call that waits for its answer. */
interface WaitingCall {
  readonly controller: AbortController;
  /** What asked for it, once it was made. */
  event: EnvelopeEvent | null;
  /** Why it could not be sent again. */
  error: CallError | null;
}

/** Calls over a connection that comes and goes. */
export class HubCalls implements HubCaller {
  readonly #target: TypedEventTarget;
  readonly #caller: Caller;
  readonly #waiting = new Map<string, WaitingCall>();
  /** Ends when the connection does. */
  #connection: AbortController | null = null;
  readonly #onOpen = new Set<() => void>();
  #ended: HubError | null = null;

  /** @param target sends what it can and drops the rest */
  constructor(target: TypedEventTarget, onError: (error: unknown, context: string) => void) {
    this.#target = target;
    this.#caller = createCaller({
      eventTarget: {
        addEventListener: (...listener) => target.addEventListener(...listener),
        removeEventListener: (...listener) => target.removeEventListener(...listener),
        dispatchEvent: (event) => this.#send(event),
      },
      replyTo: randomUUID(),
      timeoutMs: null,
      idleTimeoutMs: null, // the connection has signs of life of its own
      onError,
    });
  }

  call<Input extends TSchema, Output extends TSchema>(
    operation: OperationSpec<Input, Output, "query" | "mutation">,
    input: Static<Input>,
    options?: HubCallOptions,
  ): Promise<ResponseEnvelope<Static<Output>>>;
  call(id: string, input: unknown, options?: HubCallOptions): Promise<ResponseEnvelope>;
  async call(
    operation: OperationSpec | string,
    input: unknown,
    options: HubCallOptions = {},
  ): Promise<ResponseEnvelope> {
    const { requestId = randomUUID(), timeoutMs = TIMEOUT_MS, signal, ...rest } = options;
    const latest = timeoutMs === null ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs;
    const deadline = Math.min(latest, options.deadline ?? latest);
    const [first, longest] = AGAIN_MS;
    for (let waitMs: number = first; ; waitMs = Math.min(waitMs * 2, longest)) {
      try {
        return await this.#once(operation, input, {
          ...rest,
          requestId,
          ...(signal === undefined ? {} : { signal }),
          ...(deadline === Number.POSITIVE_INFINITY ? {} : { deadline }),
        });
      } catch (error) {
        if (!this.#mayAskAgain(error, signal) || Date.now() + waitMs >= deadline) throw error;
      }
      await pause(waitMs, signal);
    }
  }

  subscribe<Input extends TSchema, Output extends TSchema>(
    operation: OperationSpec<Input, Output, "subscription">,
    input: Static<Input>,
    options?: HubSubscribeOptions,
  ): AsyncGenerator<ResponseEnvelope<Static<Output>>, undefined>;
  subscribe(
    id: string,
    input: unknown,
    options?: HubSubscribeOptions,
  ): AsyncGenerator<ResponseEnvelope, undefined>;
  async *subscribe(
    operation: OperationSpec | string,
    input: unknown,
    options: HubSubscribeOptions = {},
  ): AsyncGenerator<ResponseEnvelope, undefined> {
    const { resumeBy, signal, ...rest } = options;
    let from = input;
    for (;;) {
      const connection = await this.#connected(signal);
      if (connection === null) return undefined;
      const both = signal === undefined ? connection : AbortSignal.any([connection, signal]);
      const remote = { ...rest, signal: both };
      try {
        for await (const answer of this.#caller.subscribe(operation as string, from, remote)) {
          yield answer;
          const { offset } = (answer.data ?? {}) as { readonly offset?: unknown };
          if (resumeBy !== undefined && offset !== undefined) {
            from = { ...(from as object), [resumeBy]: offset };
          }
        }
        if (signal?.aborted || !connection.aborted) return undefined;
      } catch (error) {
        if (this.#ended !== null) throw this.#ended;
        if (resumeBy === undefined || !this.#mayAskAgain(error, signal)) throw error;
        await pause(AGAIN_MS[0], signal); // the hub closes
      }
      if (this.#ended !== null) throw this.#ended;
      if (resumeBy === undefined) {
        throw new CallError("TRANSPORT_ERROR", "the connection ended before the subscription did");
      }
    }
  }

  /** The connection is there: what waits for an answer is asked again. */
  opened(): void {
    this.#connection = new AbortController();
    for (const waiting of [...this.#waiting.values()]) this.#sendAgain(waiting);
    for (const go of [...this.#onOpen]) go();
  }

  /** The connection is over. Calls wait for the next one. */
  lost(): void {
    this.#connection?.abort();
    this.#connection = null;
  }

  /** Ends what waits with an error. Idempotent. */
  end(error: HubError): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    this.lost();
    this.#caller.close();
    for (const go of [...this.#onOpen]) go();
  }

  async #once(
    operation: OperationSpec | string,
    input: unknown,
    options: RemoteCallOptions & { readonly requestId: string },
  ): Promise<ResponseEnvelope> {
    if (this.#ended !== null) throw this.#ended;
    const { requestId, signal: own } = options;
    const waiting: WaitingCall = { controller: new AbortController(), event: null, error: null };
    const isFirst = !this.#waiting.has(requestId); // a second one is refused by the caller
    if (isFirst) this.#waiting.set(requestId, waiting);
    const given = waiting.controller.signal;
    const signal = own === undefined ? given : AbortSignal.any([own, given]);
    try {
      return await this.#caller.call(operation as string, input, { ...options, signal });
    } catch (error) {
      throw this.#ended ?? waiting.error ?? error;
    } finally {
      if (isFirst) this.#waiting.delete(requestId);
    }
  }

  #sendAgain(waiting: WaitingCall): void {
    if (waiting.event === null) return;
    try {
      this.#target.dispatchEvent(waiting.event);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      waiting.error = new CallError("TRANSPORT_ERROR", `the call was not sent: ${reason}`, {
        cause,
      });
      waiting.controller.abort();
    }
  }

  #mayAskAgain(error: unknown, signal: AbortSignal | undefined): boolean {
    return error instanceof CallError && AGAIN.has(error.code) && signal?.aborted !== true;
  }

  #send(event: EnvelopeEvent): boolean {
    const { type, payload } = event.detail;
    if (type === "call.requested") {
      const { requestId } = payload as { readonly requestId: string };
      const waiting = this.#waiting.get(requestId);
      if (waiting !== undefined) waiting.event ??= event;
    }
    return this.#target.dispatchEvent(event);
  }

  /** Ends with the connection that is there now or comes next. Null: the signal came first. */
  async #connected(signal: AbortSignal | undefined): Promise<AbortSignal | null> {
    while (this.#connection === null && this.#ended === null && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#onOpen.delete(done);
          signal?.removeEventListener("abort", done);
          resolve();
        };
        this.#onOpen.add(done);
        signal?.addEventListener("abort", done, { once: true });
      });
    }
    if (this.#ended !== null) throw this.#ended;
    return this.#connection?.signal ?? null;
  }
}
