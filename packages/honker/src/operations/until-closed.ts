import type { Closable } from "../core/closable.ts";

/** Work with an end of its own that must stop when its database closes. */
export class UntilClosed implements Closable {
  readonly #controller = new AbortController();
  readonly #closedError: () => Error;
  readonly #callbacks: (() => void)[] = [];
  #ended = false;

  /** @param closedError the reason the signal gives when the database closes */
  constructor(closedError: () => Error) {
    this.#closedError = closedError;
  }

  close(): void {
    this.#controller.abort(this.#closedError());
  }

  onEnd(callback: () => void): void {
    if (this.#ended) callback();
    else this.#callbacks.push(callback);
  }

  /** Runs `work` with a signal that aborts when the database closes or `signal` does. */
  async run<T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const own = this.#controller.signal;
    try {
      return await work(signal === undefined ? own : AbortSignal.any([own, signal]));
    } finally {
      this.#ended = true;
      for (const callback of this.#callbacks) callback();
    }
  }
}
