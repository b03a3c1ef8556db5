import type { ResponseEnvelope } from "../envelope/response-envelope.ts";
import { CallError } from "../errors.ts";
import type { StartedCall } from "./started-call.ts";

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** The answers of a subscription. `break`, `return()` and the caller's signal end it and its handler. */
export interface OperationAnswers<Data = unknown>
  extends AsyncIterableIterator<ResponseEnvelope<Data>, undefined>,
    AsyncDisposable {
  next(): Promise<IteratorResult<ResponseEnvelope<Data>, undefined>>;
  /** Aborts the handler's signal and calls `return()` of its iterator; idempotent. */
  return(): Promise<IteratorResult<ResponseEnvelope<Data>, undefined>>;
  [Symbol.asyncIterator](): OperationAnswers<Data>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** {@link OperationAnswers} of one call. The handler is not run before the first `next()`. */
export class OperationSubscription implements OperationAnswers {
  readonly #call: StartedCall;
  #source: AsyncIterator<unknown> | undefined;
  /** Reads that wait for the handler. */
  #reading = 0;
  #released: Promise<void> | undefined;
  #ended = false;

  constructor(call: StartedCall) {
    this.#call = call;
    const { signal } = call.scope;
    // at once, also while nobody reads: a handler must not go on for a caller who is gone
    if (!signal.aborted) signal.addEventListener("abort", () => this.#release(), { once: true });
  }

  async next(): Promise<IteratorResult<ResponseEnvelope, undefined>> {
    if (this.#ended) return DONE;
    const { scope } = this.#call;
    this.#reading += 1;
    try {
      this.#source ??= this.#start();
      const step = await scope.race(this.#source.next(), (error) => this.#call.report(error));
      if (this.#ended) return DONE;
      if (step.done !== true) return { done: false, value: this.#call.envelope(step.value) };
      this.#finish();
      return DONE;
    } catch (thrown) {
      return this.#fail(thrown);
    } finally {
      this.#reading -= 1;
    }
  }

  async return(): Promise<IteratorResult<ResponseEnvelope, undefined>> {
    this.#ended = true;
    const { id, scope } = this.#call;
    scope.abort(new CallError("ABORTED", `${id}: nobody reads its answers any more`));
    this.#release();
    // a generator that rests at its yield runs its finally now; one that waits may never come back
    if (this.#reading === 0) await this.#released;
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #start(): AsyncIterator<unknown> {
    const answers = this.#call.run();
    if (isAsyncIterable(answers)) return answers[Symbol.asyncIterator]();
    throw new CallError("EXECUTION_ERROR", `${this.#call.id} returned no async iterable`, {
      details: { operationId: this.#call.id },
    });
  }

  /** Ended by the caller: quietly. By its deadline or by an error: the caller must hear of it. */
  #fail(thrown: unknown): IteratorReturnResult<undefined> {
    const { scope } = this.#call;
    const { signal } = scope;
    const again = this.#ended;
    this.#ended = true;
    if (signal.aborted && thrown === signal.reason) {
      this.#release();
      if (again || signal.reason.code === "ABORTED") return DONE;
      throw thrown;
    }
    const failure = this.#call.failure(thrown);
    scope.abort(failure);
    this.#release();
    throw failure;
  }

  #finish(): void {
    this.#ended = true;
    this.#source = undefined;
    this.#call.scope.close();
  }

  /** Ends the handler's iterator. A generator that waits for something ends when that comes. */
  #release(): void {
    const source = this.#source;
    this.#source = undefined;
    if (source?.return === undefined) return;
    this.#released = this.#end(source.return.bind(source));
  }

  async #end(end: () => PromiseLike<unknown>): Promise<void> {
    try {
      await end();
    } catch (error) {
      if (error !== this.#call.scope.signal.reason) this.#call.report(error);
    }
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
