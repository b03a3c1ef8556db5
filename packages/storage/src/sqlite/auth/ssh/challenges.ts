import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Database } from "@alkdev/honker";

/** Something to sign, once and soon. */
export interface Challenge {
  /** The text to sign. */
  readonly nonce: string;
  /** What to sign it for: `-n` of `ssh-keygen -Y sign`. */
  readonly namespace: string;
  readonly expiresAt: Date;
}

/** Whom a challenge is for. */
export interface ChallengeFor {
  readonly fingerprint: string;
  readonly namespace: string;
}

const LIFE_MS = 60_000;
/** How far the clock of the process that made it may be ahead. */
const SKEW_MS = 5_000;
/** Used ones are known for a day, so that no clock that is set back revives one. */
const REMEMBER_SECONDS = 86_400;
const FORGET_AT_ONCE = 100;
const TIME_BYTES = 6;
const PAYLOAD_BYTES = TIME_BYTES + 16;
const MAC_BYTES = 32;
const FORM = new RegExp(`^[A-Za-z0-9_-]{${((PAYLOAD_BYTES + MAC_BYTES) * 4) / 3}}$`);

const READ_SECRET = "SELECT value FROM _alk_storage_state WHERE key = 'auth_challenge_key'";
const MAKE_SECRET = `INSERT INTO _alk_storage_state (key, value) VALUES ('auth_challenge_key', ?)
  ON CONFLICT (key) DO NOTHING`;
const USE = `INSERT INTO _alk_used_challenges (nonce, expires_at) VALUES (?, ?)
  ON CONFLICT (nonce) DO NOTHING`;
const FORGET = `DELETE FROM _alk_used_challenges WHERE nonce IN (SELECT nonce
  FROM _alk_used_challenges WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`;

/**
 * Challenges that nothing is stored of until they are answered: time, randomness and a seal by a secret of
 * the file. So asking for them fills nothing, whoever asks and for whomever, and every process can check
 * those of the others.
 */
export class Challenges {
  readonly #client: Database;
  #secret: Buffer | undefined;

  constructor(client: Database) {
    this.#client = client;
  }

  create(whom: ChallengeFor, now: number): Challenge {
    const payload = randomBytes(PAYLOAD_BYTES);
    payload.writeUIntBE(now, 0, TIME_BYTES);
    const nonce = Buffer.concat([payload, this.#seal(payload, whom)]).toString("base64url");
    return { nonce, namespace: whom.namespace, expiresAt: new Date(now + LIFE_MS) };
  }

  /** Whether it was made here for this key and its time is not over. */
  check(nonce: unknown, whom: ChallengeFor, now: number): boolean {
    if (typeof nonce !== "string" || !FORM.test(nonce)) return false;
    const bytes = Buffer.from(nonce, "base64url");
    const payload = bytes.subarray(0, PAYLOAD_BYTES);
    if (!timingSafeEqual(bytes.subarray(PAYLOAD_BYTES), this.#seal(payload, whom))) return false;
    const age = now - payload.readUIntBE(0, TIME_BYTES);
    return age >= -SKEW_MS && age < LIFE_MS;
  }

  /** Uses it up, in the open transaction if there is one. False where somebody has used it before. */
  use(nonce: string, now: number): boolean {
    const seconds = Math.ceil(now / 1_000);
    return this.#client.transaction(() => {
      const { changes } = this.#client.prepare(USE).run([nonce, seconds + LIFE_MS / 1_000]);
      this.#client.prepare(FORGET).run([seconds - REMEMBER_SECONDS, FORGET_AT_ONCE]);
      return changes === 1;
    });
  }

  #seal(payload: Buffer, { fingerprint, namespace }: ChallengeFor): Buffer {
    const mac = createHmac("sha256", this.#key());
    return mac
      .update(payload)
      .update(JSON.stringify([fingerprint, namespace]))
      .digest();
  }

  #key(): Buffer {
    if (this.#secret !== undefined) return this.#secret;
    if (this.#client.rows(READ_SECRET).length === 0) {
      this.#client.execute(MAKE_SECRET, [randomBytes(32).toString("hex")]);
    }
    const key = Buffer.from(String(this.#client.rows(READ_SECRET)[0]?.[0]), "hex");
    // one that is made in an open transaction may be rolled back
    if (!this.#client.inTransaction) this.#secret = key;
    return key;
  }
}
