import { timingSafeEqual } from "node:crypto";
import type { Database, PreparedSql } from "@alkdev/honker";
import type { CredentialType } from "./audit.ts";
import { readLimits } from "./key-limits.ts";
import { type Principal, PrincipalReader } from "./principal.ts";

/** Why a credential was refused: for the audit trail and operators, never for the caller. */
export type RefusalReason =
  | "malformed"
  | "unknown"
  | "revoked"
  | "disabled"
  | "expired"
  | "account_suspended"
  | "account_deactivated"
  | "bad_challenge"
  | "bad_signature"
  /** The credential is good, but its account is not in the organisation that it asked for. */
  | "no_access";

/** A credential that was refused; whose it is, where it is somebody's. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly credentialType: CredentialType;
  readonly credentialId: string | null;
  readonly accountId: string | null;
}

/** What the row of a key says at one moment. */
export type KeyVerdict =
  | {
      readonly principal: Principal;
      /** Milliseconds since 1970; infinity: never. */
      readonly expiresAt: number;
    }
  | { readonly principal: null; readonly refusal: Refusal };

const BY_HASH = `SELECT k.key_hash, k.enabled, k.revoked_at, k.expires_at, a.status,
    k.id, a.id, a.access_level, l.scopes, l.org_id
  FROM api_keys k JOIN accounts a ON a.id = k.owner_id
  LEFT JOIN _alk_api_key_limits l ON l.key_id = k.id
  WHERE k.key_hash = ?`;

/** Looks API keys up by their hash. */
export class ApiKeyReader {
  readonly #byHash: PreparedSql;
  readonly #principals: PrincipalReader;

  constructor(client: Database) {
    this.#byHash = client.prepare(BY_HASH);
    this.#principals = new PrincipalReader(client);
  }

  /** Whom the key of this hash signs in at `now`. Every refusal costs the same one look-up. */
  read(hash: string, now: number): KeyVerdict {
    const row = this.#byHash.row([hash]);
    const [stored, enabled, revokedAt, expires, status, ...rest] = row ?? [];
    const [keyId, accountId, accessLevel, scopes, orgId] = rest;
    const known = equal(hash, String(stored ?? NO_HASH));
    const expiresAt = typeof expires === "number" ? expires * 1_000 : Number.POSITIVE_INFINITY;
    const reason = reasonOf({ known, enabled, revokedAt, status, hasExpired: now >= expiresAt });
    if (reason === null) {
      const principal = this.#principals.read({
        credentialType: "api_key",
        credentialId: keyId as string,
        accountId: accountId as string,
        accessLevel: accessLevel as Principal["accessLevel"],
        ...readLimits(scopes, orgId),
      });
      return { principal, expiresAt };
    }
    const [credentialId, owner] = known ? [keyId, accountId] : [null, null];
    return {
      principal: null,
      refusal: {
        reason,
        credentialType: "api_key",
        credentialId: credentialId as string | null,
        accountId: owner as string | null,
      },
    };
  }
}

const NO_HASH = "0".repeat(64);

function equal(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(one, "latin1"), Buffer.from(other, "latin1"));
}

/** What {@link reasonOf} judges by. */
export interface CredentialState {
  readonly known: boolean;
  readonly enabled: unknown;
  readonly revokedAt: unknown;
  readonly hasExpired: boolean;
  readonly status: unknown;
}

/** Why a credential may not sign in; null where it may. */
export function reasonOf(state: CredentialState): RefusalReason | null {
  const { known, enabled, revokedAt, hasExpired, status } = state;
  if (!known) return "unknown";
  if (revokedAt !== null) return "revoked";
  if (enabled !== 1) return "disabled";
  if (hasExpired) return "expired";
  if (status === "active") return null;
  return status === "suspended" ? "account_suspended" : "account_deactivated";
}
