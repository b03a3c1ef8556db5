import type { HubError } from "../errors.ts";

/** Lets many wait until something is there, as often as it comes and goes. */
export class Readiness {
  #waiting = Promise.withResolvers<void>();
  #isReady = false;
  #ended = false;

  constructor() {
    this.#waiting.promise.catch(() => undefined); // nobody may be waiting
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves when it is there; rejects with what ended it for good. */
  wait(): Promise<void> {
    return this.#waiting.promise;
  }

  reached(): void {
    if (this.#ended) return;
    this.#isReady = true;
    this.#waiting.resolve();
  }

  lost(): void {
    if (!this.#isReady || this.#ended) return;
    this.#isReady = false;
    this.#renew();
  }

  end(error: HubError): void {
    if (this.#ended) return;
    if (this.#isReady) this.#renew();
    this.#isReady = false;
    this.#ended = true;
    this.#waiting.reject(error);
  }

  #renew(): void {
    this.#waiting = Promise.withResolvers<void>();
    this.#waiting.promise.catch(() => undefined);
  }
}
