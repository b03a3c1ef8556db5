import { Value } from "@sinclair/typebox/value";
import { StorageError } from "../../errors.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { DerivedKeys } from "./derived-keys.ts";
import { type EncryptedData, EncryptedDataSchema } from "./encrypted-data.ts";

const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Shorter keys are refused for new data: they could be guessed, whatever the number of rounds. */
const SHORTEST_KEY = 16;
/** Derived keys that {@link encrypt} and {@link decrypt} keep; about 1 KiB each. */
const MOST_DERIVED = 1_000;

const shared = new DerivedKeys(MOST_DERIVED);

/**
 * A random 256-bit key as base64, for {@link encrypt} and key rings.
 *
 * @example
 * ```ts
 * const key = generateEncryptionKey(); // 44 characters
 * ```
 */
export function generateEncryptionKey(): string {
  return toBase64(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * Encrypts a text with AES-256-GCM under a key derived from `key` by PBKDF2-SHA-256, with a fresh salt
 * and nonce every time: the same text never looks the same twice.
 *
 * @param key The result of {@link generateEncryptionKey}, or any text of 16 characters and more.
 * @param keyVersion Which key this is, stored with the data: 1 (default) means 100,000 PBKDF2 rounds,
 *   later ones 200,000.
 * @throws StorageError `INVALID_KEY`, or `INVALID_ARGUMENT` for a text with unpaired surrogates, which
 *   would not come back as it was.
 *
 * @example
 * ```ts
 * const encrypted = await encrypt("hunter2", key);
 * await decrypt(encrypted, key); // "hunter2"
 * ```
 */
export async function encrypt(
  plaintext: string,
  key: string,
  keyVersion = 1,
): Promise<EncryptedData> {
  return seal(plaintext, { key, keyVersion, derivedKeys: shared, salt: newSalt() });
}

/**
 * The text that {@link encrypt} was given.
 *
 * @throws StorageError `DECRYPTION_FAILED` where the key is another one or any field was changed,
 *   `INVALID_ENCRYPTED_DATA` where a field is malformed, `INVALID_KEY` without a key. No error holds the
 *   key, the text or a part of them.
 */
export async function decrypt(encrypted: EncryptedData, key: string): Promise<string> {
  return unseal(encrypted, key, shared);
}

/** Forgets every key that {@link encrypt} and {@link decrypt} derived, as after a key was withdrawn. */
export function clearDerivedKeys(): void {
  shared.clear();
}

/** 16 random bytes. */
export function newSalt(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(SALT_BYTES));
}

/** What {@link seal} encrypts with. */
export interface Seal {
  readonly key: string;
  readonly keyVersion: number;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly derivedKeys: DerivedKeys;
}

/** Encrypts with a given salt and cache. */
export async function seal(plaintext: string, options: Seal): Promise<EncryptedData> {
  const { key, keyVersion, salt, derivedKeys } = options;
  checkKey(key, SHORTEST_KEY);
  checkVersion(keyVersion);
  if (typeof plaintext !== "string" || !plaintext.isWellFormed()) {
    throw new StorageError(
      "INVALID_ARGUMENT",
      "what is to be encrypted is not a well-formed text",
      {
        hint: "Encode binary data as base64 first",
      },
    );
  }
  const saltText = toBase64(salt);
  const derived = await derivedKeys.get({ key, keyVersion, salt, saltText });
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const data = await crypto.subtle.encrypt(
    parameters(keyVersion, iv),
    derived,
    new TextEncoder().encode(plaintext),
  );
  return { keyVersion, salt: saltText, iv: toBase64(iv), data: toBase64(new Uint8Array(data)) };
}

/** Decrypts with a given cache. */
export async function unseal(
  encrypted: EncryptedData,
  key: string,
  derivedKeys: DerivedKeys,
): Promise<string> {
  checkKey(key, 1);
  checkEncrypted(encrypted);
  const { keyVersion, salt: saltText } = encrypted;
  const salt = bytesOf(encrypted, "salt");
  const iv = bytesOf(encrypted, "iv");
  const data = bytesOf(encrypted, "data");
  if (salt.length !== SALT_BYTES) throw malformed(`/salt is not ${SALT_BYTES} bytes`);
  if (iv.length !== IV_BYTES) throw malformed(`/iv is not ${IV_BYTES} bytes`);
  if (data.length < TAG_BYTES) throw malformed(`/data is shorter than its ${TAG_BYTES}-byte tag`);
  const derived = await derivedKeys.get({ key, keyVersion, salt, saltText });
  let plaintext: ArrayBuffer;
  try {
    plaintext = await crypto.subtle.decrypt(parameters(keyVersion, iv), derived, data);
  } catch {
    throw new StorageError(
      "DECRYPTION_FAILED",
      `data encrypted with key version ${keyVersion} cannot be decrypted`,
      {
        hint: "The key is not the one it was encrypted with, or the data was changed",
        details: { keyVersion },
      },
    );
  }
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plaintext);
}

/** @throws StorageError `INVALID_ENCRYPTED_DATA` naming the field that is wrong. */
export function checkEncrypted(value: unknown): asserts value is EncryptedData {
  for (const { path, message } of Value.Errors(EncryptedDataSchema, value)) {
    throw malformed(`${path === "" ? "it" : path}: ${message.toLowerCase()}`);
  }
  if (!Number.isSafeInteger((value as EncryptedData).keyVersion)) {
    throw malformed("/keyVersion is beyond 2^53");
  }
}

/** @throws StorageError `INVALID_KEY`. */
export function checkVersion(keyVersion: number): void {
  if (Number.isSafeInteger(keyVersion) && keyVersion >= 1) return;
  throw new StorageError("INVALID_KEY", `key version ${keyVersion} is not a whole number from 1`);
}

/** @throws StorageError `INVALID_KEY`; the message never holds the key. */
export function checkKey(key: string, shortest: number = SHORTEST_KEY): void {
  if (typeof key === "string" && key.length >= shortest && key.isWellFormed()) return;
  throw new StorageError("INVALID_KEY", `the key is not a text of ${shortest} characters or more`, {
    hint: "Make one with generateEncryptionKey()",
  });
}

/**
 * Versions 1 and 2 differ in their rounds, so a changed version derives another key. Later ones share
 * their rounds; there the version itself is authenticated (as `keyVersion:3`), so that changing it fails.
 */
function parameters(keyVersion: number, iv: Uint8Array<ArrayBuffer>): AesGcmParams {
  const algorithm = { name: "AES-GCM", iv, tagLength: TAG_BYTES * 8 };
  if (keyVersion <= 2) return algorithm;
  return { ...algorithm, additionalData: new TextEncoder().encode(`keyVersion:${keyVersion}`) };
}

function bytesOf(encrypted: EncryptedData, field: "salt" | "iv" | "data"): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64(encrypted[field]);
  if (bytes === null) throw malformed(`/${field} is not base64 in its one padded form`);
  return bytes;
}

function malformed(problem: string): StorageError {
  return new StorageError("INVALID_ENCRYPTED_DATA", `encrypted data is malformed: ${problem}`);
}
