import { StorageError } from "../../errors.ts";
import type { SystemDatabase } from "../client.ts";
import { hashApiKey, isApiKey, newApiKey } from "./api-key-format.ts";
import { ApiKeyReader, type KeyVerdict, type Refusal } from "./api-key-reader.ts";
import { AuthJournal } from "./auth-journal.ts";
import {
  type AuthenticatorOptions,
  type AuthenticatorSettings,
  resolveAuthOptions,
} from "./auth-options.ts";
import { type Authentication, rateLimited, UNAUTHENTICATED } from "./authentication.ts";
import { PeerReader } from "./peer-reader.ts";
import type { Principal } from "./principal.ts";
import { PrincipalCache, type SignedIn } from "./principal-cache.ts";
import { SharedLimit } from "./shared-limit.ts";
import { type Challenge, Challenges } from "./ssh/challenges.ts";
import { verifySshSignature } from "./ssh/ssh-signature.ts";

/** From where a request comes. */
export interface AuthenticateOptions {
  /** Address of the caller, for the limit of failures and the audit trail; at most 200 characters count. */
  readonly source?: string;
}

/** A challenge and what a peer made of it. */
export interface ChallengeAnswer {
  /** Of the peer's key, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  readonly nonce: string;
  /** What `ssh-keygen -Y sign` printed. */
  readonly signature: string;
}

/** What is read of a text that somebody shows; no key is longer. */
const LONGEST_KEY = 256;
const LONGEST_SOURCE = 200;

/**
 * Finds out who calls: by API keys and by SSH keys. Made by {@link createAuthenticator}; every call is
 * synchronous. Callers learn nothing but yes, no and later; why is in the audit trail.
 */
export class Authenticator implements Disposable {
  readonly #settings: AuthenticatorSettings;
  readonly #keys: ApiKeyReader;
  readonly #peers: PeerReader;
  readonly #cache: PrincipalCache;
  readonly #challenges: Challenges;
  readonly #journal: AuthJournal;
  readonly #keyLimit: SharedLimit | null;
  readonly #failureLimit: SharedLimit | null;
  /** Looked up where nothing readable is shown: not the empty text, whose hash may be stored. */
  readonly #nobodysKey = newApiKey();
  #closed = false;

  /** @internal Use `createAuthenticator()`. */
  constructor(system: SystemDatabase, settings: AuthenticatorSettings) {
    const { $client: client } = system;
    const { keyLimit, failureLimit, clock, onError } = settings;
    this.#settings = settings;
    this.#keys = new ApiKeyReader(client);
    this.#peers = new PeerReader(client);
    this.#cache = new PrincipalCache(client, settings.cacheSize);
    this.#challenges = new Challenges(client);
    this.#keyLimit = keyLimit === null ? null : new SharedLimit(client, "auth:key:", keyLimit);
    this.#failureLimit =
      failureLimit === null ? null : new SharedLimit(client, "auth:source:", failureLimit);
    const auditSuccess = settings.audit === "failures-and-successes";
    this.#journal = new AuthJournal(system, { auditSuccess, now: () => clock.now(), onError });
  }

  /**
   * Whom an API key signs in. A key that was revoked is refused from that commit on, whichever process
   * made it; inside a transaction that transaction counts.
   *
   * @param bearer what was shown, without `Bearer `
   * @throws StorageError `CLOSED`; `HonkerError` `BUSY`
   * @example
   * ```ts
   * const result = auth.authenticate(key, { source: request.ip });
   * if (!result.ok) return new Response(result.message, { status: 401 });
   * ```
   */
  authenticate(
    bearer: string | null | undefined,
    options: AuthenticateOptions = {},
  ): Authentication {
    this.#requireOpen();
    const now = this.#settings.clock.now();
    const source = sourceOf(options);
    // what is no key is looked up as well: every refusal costs the same
    const hash = hashApiKey(isReadable(bearer) ? bearer : this.#nobodysKey);
    const known = this.#cache.get(hash, now);
    if (known !== null) return this.#admit(known, source, now);
    const verdict = this.#keys.read(hash, now);
    if (verdict.principal !== null) {
      this.#cache.set(hash, verdict);
      return this.#admit(verdict, source, now);
    }
    // only those who fail: an address can be that of many
    const blocked = this.#blockedFor(source, now);
    if (blocked > 0) return rateLimited(blocked);
    const { refusal } = verdict;
    const isTypo = refusal.reason === "unknown" && !isApiKey(bearer);
    return this.#refuse(isTypo ? { ...refusal, reason: "malformed" } : refusal, source, now);
  }

  /**
   * Something for a peer to sign within 60 seconds, once. It says nothing about whether the key is
   * known, and nothing is stored.
   *
   * @throws StorageError `INVALID_ARGUMENT`, `CLOSED`
   * @example
   * ```ts
   * const { nonce, namespace } = auth.createChallenge("SHA256:…");
   * // the peer: printf %s "$nonce" | ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n "$namespace" -q
   * const result = auth.verifyChallenge({ fingerprint, nonce, signature });
   * ```
   */
  createChallenge(fingerprint: string): Challenge {
    this.#requireOpen();
    if (typeof fingerprint !== "string" || !/^SHA256:[A-Za-z0-9+/]{43}$/.test(fingerprint)) {
      throw new StorageError("INVALID_ARGUMENT", "fingerprint must be SHA256: and 43 characters", {
        hint: "ssh-keygen -l -f key.pub prints it",
      });
    }
    return this.#challenges.create(this.#for(fingerprint), this.#settings.clock.now());
  }

  /**
   * Whom a signed challenge signs in. Each challenge does so once.
   *
   * @throws StorageError `CLOSED`; `HonkerError` `BUSY`
   */
  verifyChallenge(answer: ChallengeAnswer, options: AuthenticateOptions = {}): Authentication {
    this.#requireOpen();
    const now = this.#settings.clock.now();
    const source = sourceOf(options);
    const blocked = this.#blockedFor(source, now);
    if (blocked > 0) return rateLimited(blocked);
    const verdict = this.#judge(answer, now);
    if (verdict.principal === null) return this.#refuse(verdict.refusal, source, now);
    return this.#admit(verdict, source, now);
  }

  /**
   * Whom a peer signs in now that has signed a challenge on a connection which is still open: refused
   * from the commit on that revokes its key. It proves nothing by itself: ask it only for connections that
   * {@link verifyChallenge} let in.
   *
   * @throws StorageError `CLOSED`; `HonkerError` `BUSY`
   */
  recheckPeer(fingerprint: string, options: AuthenticateOptions = {}): Authentication {
    this.#requireOpen();
    const now = this.#settings.clock.now();
    const source = sourceOf(options);
    const verdict = this.#peers.read(fingerprint, now);
    if (verdict.principal === null) return this.#refuse(verdict.refusal, source, now);
    return this.#admit(verdict, source, now);
  }

  /**
   * Notes for the audit trail that somebody who is known was refused an organisation: reason `no_access`.
   *
   * @throws StorageError `CLOSED`
   */
  noteNoAccess(principal: Principal, options: AuthenticateOptions = {}): void {
    this.#requireOpen();
    const { accountId, credentialId, credentialType } = principal;
    const refusal = { reason: "no_access", accountId, credentialId, credentialType } as const;
    this.#journal.failed(refusal, sourceOf(options));
  }

  /** Writes down now who signed in and who failed; it also happens a second later by itself. */
  flush(): void {
    this.#requireOpen();
    this.#journal.flush("everything");
  }

  /** Writes down what is left and ends. Idempotent. Close it before the database. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#journal.flush("everything");
    } catch (error) {
      this.#settings.onError(error, "writing down who signed in");
    }
    this.#journal.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #judge({ fingerprint, nonce, signature }: ChallengeAnswer, now: number): KeyVerdict {
    const refused = (reason: Refusal["reason"]): KeyVerdict => ({
      principal: null,
      refusal: { reason, credentialType: "ssh_key", credentialId: null, accountId: null },
    });
    const whom = this.#for(fingerprint);
    if (!this.#challenges.check(nonce, whom, now)) return refused("bad_challenge");
    // by the key in the signature: whether it is registered makes no difference to the work
    const signer = verifySshSignature(signature, { message: nonce, namespace: whom.namespace });
    if (signer?.fingerprint !== fingerprint) return refused("bad_signature");
    const verdict = this.#peers.read(fingerprint, now);
    if (verdict.principal === null || this.#challenges.use(nonce, now)) return verdict;
    return refused("bad_challenge");
  }

  #admit({ principal }: SignedIn, source: string | undefined, now: number): Authentication {
    const wait = this.#keyLimit?.take(principal.credentialId, now) ?? 0;
    if (wait > 0) return rateLimited(wait);
    this.#journal.used({ principal, source }, now);
    return { ok: true, principal };
  }

  #refuse(refusal: Refusal, source: string | undefined, now: number): Authentication {
    this.#journal.failed(refusal, source);
    const wait = source === undefined ? 0 : (this.#failureLimit?.take(source, now) ?? 0);
    return wait > 0 ? rateLimited(wait) : UNAUTHENTICATED;
  }

  #blockedFor(source: string | undefined, now: number): number {
    return source === undefined ? 0 : (this.#failureLimit?.blockedFor(source, now) ?? 0);
  }

  #for(fingerprint: string): { fingerprint: string; namespace: string } {
    return { fingerprint, namespace: this.#settings.challengeNamespace };
  }

  #requireOpen(): void {
    if (!this.#closed) return;
    throw new StorageError("CLOSED", "the authenticator is closed", {
      hint: "Make another one with createAuthenticator()",
    });
  }
}

/**
 * An authenticator over `system.db`. Any number of processes may have one. Keep it as long as the process
 * serves, and close it before the database.
 *
 * @throws StorageError `INVALID_ARGUMENT`
 * @example
 * ```ts
 * using auth = createAuthenticator(system);
 * const result = auth.authenticate(key);
 * ```
 */
export function createAuthenticator(
  system: SystemDatabase,
  options: AuthenticatorOptions = {},
): Authenticator {
  return new Authenticator(system, resolveAuthOptions(options));
}

function isReadable(bearer: unknown): bearer is string {
  return typeof bearer === "string" && bearer !== "" && bearer.length <= LONGEST_KEY;
}

function sourceOf({ source }: AuthenticateOptions): string | undefined {
  return typeof source === "string" && source !== "" ? source.slice(0, LONGEST_SOURCE) : undefined;
}
