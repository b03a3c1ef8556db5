import { createHash, randomBytes } from "node:crypto";

/** So that keys are found in code and logs, by people and by secret scanners. */
const PREFIX = "alk_";
const SECRET_BYTES = 32;
const CHECKSUM_LENGTH = 6;
const FORM = /^alk_[A-Za-z0-9_-]{43}[A-Za-z0-9_-]{6}$/;

/**
 * A new API key: `alk_`, 256 random bits and a checksum of 36 bits, base64url, 53 characters. It is shown
 * once; only {@link hashApiKey} of it is stored.
 */
export function newApiKey(): string {
  const body = PREFIX + randomBytes(SECRET_BYTES).toString("base64url");
  return body + checksum(body);
}

/**
 * Whether a text is a whole API key of this format: tells a typo or a truncated copy from a key that is
 * not known, without asking anybody.
 *
 * @example
 * ```ts
 * if (!isApiKey(text)) throw new Error("That is no API key: was it copied as a whole?");
 * ```
 */
export function isApiKey(text: unknown): text is string {
  if (typeof text !== "string" || !FORM.test(text)) return false;
  const body = text.slice(0, -CHECKSUM_LENGTH);
  return text.slice(-CHECKSUM_LENGTH) === checksum(body);
}

/** SHA-256 of a key as `api_keys.key_hash` holds it: 64 hex digits. A salt would add nothing to 256 bits. */
export function hashApiKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

function checksum(body: string): string {
  return createHash("sha256").update(body).digest("base64url").slice(0, CHECKSUM_LENGTH);
}
