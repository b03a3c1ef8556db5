import type { Database, PreparedSql } from "@alkdev/honker";
import { type KeyVerdict, reasonOf } from "./api-key-reader.ts";
import { type Principal, PrincipalReader } from "./principal.ts";

const BY_FINGERPRINT = `SELECT p.id, p.enabled, p.revoked_at, p.expires_at, a.id, a.status, a.access_level
  FROM peer_credentials p JOIN accounts a ON a.id = p.owner_id
  WHERE p.fingerprint = ? AND p.credential_type = 'ssh_key'`;

/** Looks SSH keys up by their fingerprint. */
export class PeerReader {
  readonly #byFingerprint: PreparedSql;
  readonly #principals: PrincipalReader;

  constructor(client: Database) {
    this.#byFingerprint = client.prepare(BY_FINGERPRINT);
    this.#principals = new PrincipalReader(client);
  }

  /** Whom the key of this fingerprint signs in at `now`. */
  read(fingerprint: string, now: number): KeyVerdict {
    const row = this.#byFingerprint.row([fingerprint]);
    const [id = null, enabled, revokedAt, expires, accountId = null, status, accessLevel] =
      row ?? [];
    const expiresAt = typeof expires === "number" ? expires * 1_000 : Number.POSITIVE_INFINITY;
    const known = row !== undefined;
    const reason = reasonOf({ known, enabled, revokedAt, status, hasExpired: now >= expiresAt });
    const who = { credentialId: id as string, accountId: accountId as string };
    const credentialType = "ssh_key";
    if (reason !== null) return { principal: null, refusal: { reason, credentialType, ...who } };
    const principal = this.#principals.read({
      ...who,
      credentialType,
      accessLevel: accessLevel as Principal["accessLevel"],
      scopes: null,
      orgId: null,
    });
    return { principal, expiresAt };
  }
}
