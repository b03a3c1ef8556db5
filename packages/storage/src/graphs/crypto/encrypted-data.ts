import { type Static, Type } from "@sinclair/typebox";

const Base64 = "^[A-Za-z0-9+/]+={0,2}$";

/**
 * An encrypted text as it is stored. All fields but the version are base64 (RFC 4648 §4, padded).
 *
 * - `keyVersion`: which key it needs; it also fixes the number of PBKDF2 iterations.
 * - `salt`: 16 random bytes for PBKDF2.
 * - `iv`: 12 random bytes, the nonce of AES-GCM.
 * - `data`: the ciphertext followed by the 16-byte tag, as Web Crypto returns it.
 */
export const EncryptedDataSchema = Type.Object(
  {
    keyVersion: Type.Integer({ minimum: 1 }),
    salt: Type.String({ pattern: Base64, minLength: 24, maxLength: 24 }),
    iv: Type.String({ pattern: Base64, minLength: 16, maxLength: 16 }),
    data: Type.String({ pattern: Base64, minLength: 24 }),
  },
  { additionalProperties: false },
);

/** See {@link EncryptedDataSchema}. */
export type EncryptedData = Static<typeof EncryptedDataSchema>;
