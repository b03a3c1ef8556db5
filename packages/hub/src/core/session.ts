import { CallError } from "@alkdev/operations";
import type { Authentication, Principal } from "@alkdev/storage/sqlite";

/** Finds out who somebody is now; asked again for every call. */
export type Recheck = () => Authentication;

/** Who has a session. @throws CallError as {@link Session.principal} */
export type PrincipalOf = (session: Session) => Principal;

/** Milliseconds for which signing in stands for the look at the first call. */
const FIRST_MS = 1_000;

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
  /** Of the key that signed in. */
  readonly credentialId: string;
  readonly #recheck: Recheck;
  /** Of the moment of signing in; good for a first call that follows at once. */
  #first: Principal | null;
  readonly #firstUntilMs = performance.now() + FIRST_MS;

  /** @internal Use `HubCore.signIn()`. */
  constructor({ principal, recheck, orgId, source }: SessionParts) {
    this.accountId = principal.accountId;
    this.credentialId = principal.credentialId;
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
    if (first !== null && performance.now() < this.#firstUntilMs) return first;
    return admitted(this.#recheck());
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
