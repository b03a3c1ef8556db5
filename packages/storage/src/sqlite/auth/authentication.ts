import type { Principal } from "./principal.ts";

/** The answer to somebody who wants to sign in; its message may be shown. */
export type Authentication = Authenticated | NotAuthenticated;

/** Somebody signed in. */
export interface Authenticated {
  readonly ok: true;
  readonly principal: Principal;
}

/** Nobody signed in: HTTP 401 or 429. */
export type NotAuthenticated =
  | {
      readonly ok: false;
      /** The same for keys that are unknown, revoked, expired, disabled or malformed. */
      readonly code: "UNAUTHENTICATED";
      readonly message: string;
    }
  | {
      readonly ok: false;
      readonly code: "RATE_LIMITED";
      readonly message: string;
      /** Whole seconds, from 1. */
      readonly retryAfterSeconds: number;
    };

/** The one answer to whatever cannot sign in. */
export const UNAUTHENTICATED: NotAuthenticated = Object.freeze({
  ok: false,
  code: "UNAUTHENTICATED",
  message: "the credential is not valid",
});

/** The answer to too many requests or failures. */
export function rateLimited(retryAfterMs: number): NotAuthenticated {
  const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return { ok: false, code: "RATE_LIMITED", message: "too many requests", retryAfterSeconds };
}
