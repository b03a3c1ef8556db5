import type { Clock } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { LimitOptions } from "./shared-limit.ts";

/** Options of `createAuthenticator`. */
export interface AuthenticatorOptions {
  /** Most requests of one credential, default 6,000 per 60 seconds; null: any number. */
  readonly keyLimit?: LimitOptions | null;
  /** Most failures of one source, default 20 per 60 seconds; null: any number. */
  readonly failureLimit?: LimitOptions | null;
  /** Most credentials kept in memory, default 10,000, about 1 KB each; 0 keeps none. */
  readonly cacheSize?: number;
  /** Whether successes are in the audit trail, each key once a minute. Default `"failures"`. */
  readonly audit?: "failures" | "failures-and-successes";
  /**
   * What peers sign challenges for, default `"alkdev-auth"`. Name the installation, as in
   * `"alkdev-auth@hub.example.com"`: then nobody can pass on a challenge of another one.
   */
  readonly challengeNamespace?: string;
  /** What fails in the background. Default: reported as a process warning. */
  readonly onError?: (error: unknown, context: string) => void;
  /** Time source, default the machine's clock. For tests. */
  readonly clock?: Clock;
}

/** {@link AuthenticatorOptions} checked, with every default filled in. */
export type AuthenticatorSettings = Required<AuthenticatorOptions>;

/** Checks options and fills in defaults. @throws StorageError `INVALID_ARGUMENT` */
export function resolveAuthOptions(options: AuthenticatorOptions): AuthenticatorSettings {
  const settings: AuthenticatorSettings = {
    keyLimit: { limit: 6_000, perSeconds: 60 },
    failureLimit: { limit: 20, perSeconds: 60 },
    cacheSize: 10_000,
    audit: "failures",
    challengeNamespace: "alkdev-auth",
    onError: warn,
    clock: { now: () => Date.now() },
    ...options,
  };
  requireLimit(settings.keyLimit, "keyLimit");
  requireLimit(settings.failureLimit, "failureLimit");
  require(Number.isSafeInteger(settings.cacheSize) && settings.cacheSize >= 0, "cacheSize");
  require(["failures", "failures-and-successes"].includes(settings.audit), "audit");
  require(/^\S+$/.test(settings.challengeNamespace), "challengeNamespace");
  return settings;
}

function requireLimit(limit: LimitOptions | null, name: string): void {
  if (limit === null) return;
  const whole = Number.isSafeInteger(limit.limit) && limit.limit >= 1;
  require(whole && limit.perSeconds >= 1 && limit.perSeconds <= 86_400, name);
}

function require(holds: boolean, name: string): void {
  if (holds) return;
  throw new StorageError("INVALID_ARGUMENT", `option ${name} is out of its range`, {
    details: { option: name },
  });
}

function warn(error: unknown, context: string): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`${context}: ${reason}`, { type: "StorageWarning" });
}
