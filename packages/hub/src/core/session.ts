import { CallError } from "@alkdev/operations";
import type { Authentication, Principal } from "@alkdev/storage/sqlite";

/** Finds out who somebody is now; asked again for every call. */
export type Recheck = () => Authentication;

/** What a {@link Session} is made of. */
export interface SessionParts {
  /** As it signed in a moment ago. */
  readonly principal: Principal;
  readonly recheck: Recheck;
  readonly orgId: string | null;
  readonly source: string;
}

/** Somebody who has signed in, in one organisation or in none. Made by `HubCore.signIn()`. */
export class Session {
  /** The account; it never changes. */
  readonly accountId: string;
  /** Organisation it works in; null: the system. */
  readonly orgId: string | null;
  /** Address it calls from. */
  readonly source: string;
  readonly #recheck: Recheck;
  /** Of the moment of signing in; good for the first call. */
  #first: Principal | null;

  /** @internal Use `HubCore.signIn()`. */
  constructor({ principal, recheck, orgId, source }: SessionParts) {
    this.accountId = principal.accountId;
    this.orgId = orgId;
    this.source = source;
    this.#first = principal;
    this.#recheck = recheck;
  }

  /**
   * Who it is now: a key that was revoked ends the session with its revocation.
   *
   * @throws CallError `UNAUTHENTICATED`, `RATE_LIMITED`
   */
  principal(): Principal {
    const first = this.#first;
    this.#first = null;
    return first ?? admitted(this.#recheck());
  }
}

/** The principal of an answer, or the answer as what a caller gets. @throws CallError */
export function admitted(answer: Authentication): Principal {
  if (answer.ok) return answer.principal;
  const { code, message } = answer;
  if (code === "RATE_LIMITED") {
    const { retryAfterSeconds } = answer;
    throw new CallError(code, message, { details: { retryAfterSeconds } });
  }
  throw new CallError(code, message);
}
