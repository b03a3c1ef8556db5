import { CallError } from "../errors.ts";

/** setTimeout takes no more: 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Options of {@link CallScope}. */
export interface CallScopeOptions {
  readonly operationId: string;
  /** The caller's signal. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since 1970. */
  readonly deadline?: number | undefined;
  readonly now: () => number;
}

/** The life of one call: it ends by its own result, by the caller's signal, or at its deadline. */
export class CallScope {
  readonly #options: CallScopeOptions;
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onCallerAbort = (): void => this.abort(this.#aborted());

  constructor(options: CallScopeOptions) {
    this.#options = options;
    const { signal } = options;
    if (signal?.aborted) this.#controller.abort(this.#aborted());
    else signal?.addEventListener("abort", this.#onCallerAbort, { once: true });
    this.#watchDeadline();
  }

  /** What the handler gets: aborted with a {@link CallError} as reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the call from inside. */
  abort(reason: CallError): void {
    if (!this.signal.aborted) this.#controller.abort(reason);
    this.close();
  }

  /**
   * What the work results in, unless the call ends before: then the reason is thrown at once, and a later
   * failure of the work goes to `onLateError`.
   */
  race<T>(work: T | PromiseLike<T>, onLateError: (error: unknown) => void): Promise<T> {
    const { signal } = this;
    return new Promise<T>((resolve, reject) => {
      const end = (): void => reject(signal.reason);
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
      const settled = (): void => signal.removeEventListener("abort", end);
      Promise.resolve(work).then(
        (value) => {
          settled();
          resolve(value);
        },
        (error: unknown) => {
          settled();
          if (signal.aborted && error !== signal.reason) onLateError(error);
          reject(error);
        },
      );
    });
  }

  /** Lets go of the caller's signal and of the timer; idempotent. */
  close(): void {
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener("abort", this.#onCallerAbort);
  }

  #aborted(): CallError {
    const { operationId, signal } = this.#options;
    const reason: unknown = signal?.reason;
    // the reason of an outer call: its end is the end of this one
    if (reason instanceof CallError) return reason;
    return new CallError("ABORTED", `${operationId} was taken back by its caller`, {
      cause: reason,
      details: { operationId },
    });
  }

  #watchDeadline(): void {
    const { deadline, now, operationId } = this.#options;
    if (deadline === undefined || this.signal.aborted) return;
    const left = deadline - now();
    if (left > 0) {
      this.#timer = setTimeout(() => this.#watchDeadline(), Math.min(left, LONGEST_TIMER_MS));
      return;
    }
    this.abort(
      new CallError("TIMEOUT", `${operationId} did not end before its deadline`, {
        details: { operationId, deadline },
      }),
    );
  }
}
