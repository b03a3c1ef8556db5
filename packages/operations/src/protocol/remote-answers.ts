import type { ResponseEnvelope } from "../envelope/response-envelope.ts";
import { CallError } from "../errors.ts";
import type { OperationAnswers } from "../registry/operation-subscription.ts";
import type { CallRequested } from "./call-events.ts";
import type { CallEnvelope } from "./call-wire.ts";
import { OpenRequest, type RequestHost } from "./open-request.ts";
import { OrderedEvents } from "./ordered-events.ts";
import { givenUp, remoteError } from "./remote-error.ts";

type Step = IteratorResult<ResponseEnvelope, undefined>;

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Counts what arrived out of turn. */
export interface AnswerCounters {
  duplicates: number;
  reordered: number;
}

interface Reader {
  resolve(step: Step): void;
  reject(error: CallError): void;
}

/** Options of {@link RemoteAnswers}. */
export interface RemoteAnswersOptions {
  readonly request: CallRequested & { readonly window: number };
  readonly signal: AbortSignal | undefined;
  readonly counters: AnswerCounters;
}

/**
 * The answers of a subscription that runs elsewhere. At most a window of them is on the way or waits here;
 * credit for more is sent when half of it is consumed, and again with every heartbeat, as a sign of life.
 */
export class RemoteAnswers implements OperationAnswers {
  readonly #request: CallRequested & { readonly window: number };
  readonly #host: RequestHost;
  readonly #open: OpenRequest;
  readonly #events: OrderedEvents<CallEnvelope>;
  readonly #counters: AnswerCounters;
  readonly #buffer: ResponseEnvelope[] = [];
  readonly #readers: Reader[] = [];
  #consumed = 0;
  #credit: number;
  /** Place of the last answer that the other side says it sent. */
  #announced = 0;
  /** What the iteration ends with after what is buffered: an error, or `null` for its own end. */
  #end: CallError | null | undefined;

  constructor({ request, signal, counters }: RemoteAnswersOptions, host: RequestHost) {
    this.#request = request;
    this.#host = host;
    this.#counters = counters;
    this.#credit = request.window;
    // the end waits behind a full window of answers
    this.#events = new OrderedEvents(request.window + 1);
    const sink = {
      receive: (envelope: CallEnvelope): void => this.#receive(envelope),
      end: (error: CallError): void => this.#ended(error, signal),
    };
    this.#open = new OpenRequest({ request, signal, sink }, host);
  }

  next(): Promise<Step> {
    try {
      if (this.#end === undefined) this.#open.send();
    } catch (refusal) {
      this.#finish(null);
      return Promise.reject(refusal);
    }
    const answer = this.#buffer.shift();
    if (answer !== undefined) {
      this.#consume();
      return Promise.resolve({ done: false, value: answer });
    }
    return new Promise((resolve, reject) => {
      if (this.#end === undefined) this.#readers.push({ resolve, reject });
      else this.#answerEnd({ resolve, reject });
    });
  }

  async return(): Promise<Step> {
    this.#buffer.length = 0;
    this.#finish(null);
    // an error nobody has read yet is none of who has left
    this.#end = null;
    this.#open.takeBack();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #receive(envelope: CallEnvelope): void {
    if (envelope.type === "call.heartbeat") {
      this.#onHeartbeat(envelope.payload.sequence);
      return;
    }
    const sequence = "sequence" in envelope.payload ? envelope.payload.sequence : undefined;
    const turn = sequence === undefined ? "now" : this.#events.take(envelope, sequence);
    if (turn === "duplicate") this.#counters.duplicates += 1;
    else if (turn === "held") this.#counters.reordered += 1;
    else if (turn === "full") this.#open.end(this.#behind());
    else {
      this.#inTurn(envelope);
      for (let next = this.#events.release(); next !== undefined; next = this.#events.release()) {
        this.#inTurn(next);
      }
      if (!this.#missing) this.#open.touch();
    }
  }

  /** Something was sent and has not arrived. While it is missing, nothing else breaks the silence. */
  get #missing(): boolean {
    return this.#events.gap || this.#announced > this.#events.last;
  }

  #inTurn(envelope: CallEnvelope): void {
    if (!this.#open.open) return;
    switch (envelope.type) {
      case "call.responded":
        this.#push(envelope.payload.output);
        return;
      case "call.error":
        this.#settle(remoteError(envelope.payload));
        return;
      case "call.aborted":
        this.#settle(givenUp(this.#request));
        return;
      case "call.completed":
        this.#settle(null);
    }
  }

  #push(answer: ResponseEnvelope): void {
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: answer });
      this.#consume();
    } else if (this.#buffer.length >= this.#request.window) this.#open.end(this.#behind());
    else this.#buffer.push(answer);
  }

  #onHeartbeat(sequence: number | undefined): void {
    if (sequence !== undefined) this.#announced = Math.max(this.#announced, sequence);
    if (!this.#missing) this.#open.touch();
    this.#sendCredit();
  }

  #consume(): void {
    this.#consumed += 1;
    const { window } = this.#request;
    if (this.#credit - this.#consumed > window / 2) return;
    this.#credit = this.#consumed + window;
    this.#sendCredit();
  }

  #sendCredit(): void {
    if (!this.#open.open) return;
    const { requestId } = this.#request;
    const { wire, route } = this.#host;
    wire.trySend("call.credit", route, { requestId, credit: this.#credit });
  }

  #settle(end: CallError | null): void {
    if (this.#open.settle()) this.#finish(end);
  }

  /** Ended on this side. The caller's own signal ends quietly and at once, as in the registry. */
  #ended(error: CallError, signal: AbortSignal | undefined): void {
    const quiet = error.code === "ABORTED" && signal?.aborted === true;
    if (quiet) this.#buffer.length = 0;
    this.#finish(quiet ? null : this.#explained(error));
  }

  #finish(end: CallError | null): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    for (const reader of this.#readers.splice(0)) this.#answerEnd(reader);
  }

  #answerEnd(reader: Reader): void {
    const error = this.#end;
    if (error === null || error === undefined) {
      reader.resolve(DONE);
      return;
    }
    this.#end = null;
    reader.reject(error);
  }

  /** Silence, where something was sent and did not arrive, is a loss. */
  #explained(error: CallError): CallError {
    const { requestId, operationId } = this.#request;
    if (error.code !== "TIMEOUT" || !this.#missing) return error;
    const { last } = this.#events;
    return new CallError("TRANSPORT_ERROR", `answers of ${operationId} after ${last} were lost`, {
      cause: error,
      details: { requestId, operationId, received: last },
    });
  }

  #behind(): CallError {
    const { requestId, operationId, window } = this.#request;
    return new CallError("OVERLOADED", `${operationId} sent more than ${window} answers ahead`, {
      details: { requestId, operationId, window },
    });
  }
}
