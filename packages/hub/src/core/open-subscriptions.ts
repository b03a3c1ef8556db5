import type { CallError } from "@alkdev/operations";
import type { PrincipalOf } from "./session.ts";

/** A subscription that runs. */
export interface OpenSubscription extends Disposable {
  /** Aborted with the `CallError` that its caller is told. */
  readonly signal: AbortSignal;
}

/** How long a subscription may run. */
export interface SubscriptionTerms {
  /** The caller's own signal. */
  readonly signal: AbortSignal | undefined;
  /** Throws a `CallError` once the caller may no longer have it. */
  readonly check: (principalOf: PrincipalOf) => void;
}

/** Subscriptions that run over one file. They outlive what let them in, so they are looked at again. */
export class OpenSubscriptions {
  readonly #open = new Map<AbortController, SubscriptionTerms["check"]>();

  /** How many there are. */
  get size(): number {
    return this.#open.size;
  }

  /** Notes one that begins; dispose it when it is over. */
  open({ signal, check }: SubscriptionTerms): OpenSubscription {
    const controller = new AbortController();
    const { signal: ended } = controller;
    this.#open.set(controller, check);
    return {
      signal: signal === undefined ? ended : AbortSignal.any([signal, ended]),
      [Symbol.dispose]: () => void this.#open.delete(controller),
    };
  }

  /** Ends those whose caller may no longer have them, with the reason. */
  recheck(principalOf: PrincipalOf): void {
    for (const [controller, check] of this.#open) {
      try {
        check(principalOf);
      } catch (error) {
        // too many requests end no subscription
        if ((error as { readonly code?: unknown }).code === "RATE_LIMITED") continue;
        controller.abort(error);
      }
    }
  }

  /** Ends all of them; resolves when their handlers had the time to write down their end. */
  async end(reason: CallError): Promise<void> {
    if (this.#open.size === 0) return;
    for (const controller of this.#open.keys()) controller.abort(reason);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
