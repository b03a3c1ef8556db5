import { StorageError } from "../../errors.ts";
import { DerivedKeys } from "./derived-keys.ts";
import { checkEncrypted, checkKey, checkVersion, newSalt, seal, unseal } from "./encrypt.ts";
import type { EncryptedData } from "./encrypted-data.ts";

/** The keys of a ring and how it uses them. */
export interface KeyRingOptions {
  /** Every key by its version, as {@link generateEncryptionKey} made it. */
  readonly keys: Readonly<Record<number, string>>;
  /** The version new data is encrypted with. Default: the highest. Set it to hold a newer key back. */
  readonly current?: number;
  /**
   * How many derived keys stay in memory, about 1 KiB each. Default 1,000. Raise it where more secrets
   * than that are read again and again.
   */
  readonly cachedKeys?: number;
  /**
   * How many texts in a row share one salt. Default 1: each has its own, at the price of one PBKDF2
   * derivation each. Raise it to encrypt thousands at once; every text still has its own nonce.
   */
  readonly textsPerSalt?: number;
}

/** NIST SP 800-38D allows 2^32 random nonces per key; far below it. */
const MOST_TEXTS_PER_SALT = 1_000_000;

/**
 * Encryption keys by version: encrypts with the current one, decrypts with the one the data names, and
 * tells which ones are still needed. Keys are private to it; they are in no error and no inspection.
 *
 * @example
 * ```ts
 * const ring = new KeyRing({ keys: { 1: oldKey, 2: newKey } });
 * const secret = await ring.encrypt("hunter2"); // keyVersion 2
 * await ring.decrypt(secret);
 * const renewed = await ring.reencrypt(older); // from version 1 to 2
 * ```
 */
export class KeyRing {
  readonly #keys = new Map<number, string>();
  readonly #derived: DerivedKeys;
  readonly #textsPerSalt: number;
  #current: number;
  #salt = newSalt();
  #textsLeft = 0;

  /** @throws StorageError `INVALID_KEY` for a bad key or version, `UNKNOWN_KEY_VERSION` for `current`. */
  constructor({ keys, current, cachedKeys = 1_000, textsPerSalt = 1 }: KeyRingOptions) {
    checkRange("cachedKeys", cachedKeys, 1_000_000);
    checkRange("textsPerSalt", textsPerSalt, MOST_TEXTS_PER_SALT);
    for (const [version, key] of Object.entries(keys)) this.#put(Number(version), key);
    this.#derived = new DerivedKeys(cachedKeys);
    this.#textsPerSalt = textsPerSalt;
    this.#current = current ?? Math.max(...this.#keys.keys());
    this.#keyOf(this.#current);
  }

  /** The version new data is encrypted with. */
  get currentVersion(): number {
    return this.#current;
  }

  /** All versions, ascending. */
  get versions(): readonly number[] {
    return [...this.#keys.keys()].sort((a, b) => a - b);
  }

  /** True where data of that version can be decrypted. */
  has(version: number): boolean {
    return this.#keys.has(version);
  }

  /**
   * Adds a key, which is the current one from then on. The first step of a rotation.
   *
   * @throws StorageError `INVALID_KEY` where the key or its version is bad, or the version is taken or
   *   not above the current one.
   */
  add(version: number, key: string): void {
    if (version <= this.#current) {
      throw new StorageError(
        "INVALID_KEY",
        `key version ${version} is not above the current version ${this.#current}`,
      );
    }
    this.#put(version, key);
    this.#current = version;
    this.#textsLeft = 0;
  }

  /**
   * Removes a key for good. The last step of a rotation.
   *
   * @param remaining How many stored values still have that version: the count of {@link countVersions},
   *   taken after the last one was encrypted again.
   * @throws StorageError `KEY_IN_USE` for the current version or any remaining value,
   *   `UNKNOWN_KEY_VERSION`.
   */
  remove(version: number, remaining: number): void {
    this.#keyOf(version);
    if (version === this.#current) {
      throw new StorageError("KEY_IN_USE", `key version ${version} is the current one`, {
        hint: "Add a newer key first",
      });
    }
    if (remaining !== 0) {
      throw new StorageError(
        "KEY_IN_USE",
        `key version ${version} is still needed by ${remaining} values`,
        { hint: "Encrypt them again first", details: { version, remaining } },
      );
    }
    this.#keys.delete(version);
    this.#derived.clear();
  }

  /** Encrypts with the current key. @throws StorageError as {@link encrypt}. */
  async encrypt(plaintext: string): Promise<EncryptedData> {
    const keyVersion = this.#current;
    return seal(plaintext, {
      key: this.#keyOf(keyVersion),
      keyVersion,
      salt: this.#nextSalt(),
      derivedKeys: this.#derived,
    });
  }

  /**
   * Decrypts with the key of the version that the data names.
   *
   * @throws StorageError `UNKNOWN_KEY_VERSION`, and as {@link decrypt}.
   */
  async decrypt(encrypted: EncryptedData): Promise<string> {
    checkEncrypted(encrypted);
    return unseal(encrypted, this.#keyOf(encrypted.keyVersion), this.#derived);
  }

  /** True where the data has an older version than the current one. */
  isStale(encrypted: EncryptedData): boolean {
    return encrypted.keyVersion < this.#current;
  }

  /**
   * The same text under the current key; the very same object where it is under it, or a newer one,
   * already. Safe to repeat: a rotation that was killed starts again.
   *
   * @throws StorageError as {@link decrypt}; nothing is lost then, the data is as it was.
   */
  async reencrypt(encrypted: EncryptedData): Promise<EncryptedData> {
    checkEncrypted(encrypted);
    if (!this.isStale(encrypted)) return encrypted;
    return this.encrypt(await this.decrypt(encrypted));
  }

  /** Forgets derived keys; they are derived again when they are needed. */
  clearDerivedKeys(): void {
    this.#derived.clear();
  }

  /** How many derived keys are in memory. */
  get derivedKeys(): number {
    return this.#derived.size;
  }

  #put(version: number, key: string): void {
    checkVersion(version);
    checkKey(key);
    this.#keys.set(version, key);
  }

  #keyOf(version: number): string {
    const key = this.#keys.get(version);
    if (key !== undefined) return key;
    const held = this.versions;
    throw new StorageError("UNKNOWN_KEY_VERSION", `the ring has no key version ${version}`, {
      hint: held.length === 0 ? "It has no keys" : `It has ${held.join(", ")}`,
      details: { version, held },
    });
  }

  #nextSalt(): Uint8Array<ArrayBuffer> {
    if (this.#textsLeft === 0) {
      this.#salt = newSalt();
      this.#textsLeft = this.#textsPerSalt;
    }
    this.#textsLeft -= 1;
    return this.#salt;
  }
}

/**
 * How many values there are of each key version, ascending: the versions that are still needed.
 *
 * @throws StorageError `INVALID_ENCRYPTED_DATA`: a value that cannot be counted must not let a key go.
 */
export function countVersions(values: Iterable<EncryptedData>): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) {
    checkEncrypted(value);
    counts.set(value.keyVersion, (counts.get(value.keyVersion) ?? 0) + 1);
  }
  return new Map([...counts].sort(([a], [b]) => a - b));
}

function checkRange(name: string, value: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `${name} is ${value}, not a whole number from 1 to ${most}`,
  );
}
