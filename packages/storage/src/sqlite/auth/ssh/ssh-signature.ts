import { createHash, verify } from "node:crypto";
import { readPublicKey, type SshKeyType, type SshPublicKey } from "./public-key.ts";
import { WireReader, wireString } from "./wire-reader.ts";

/** What was signed, as the verifier knows it. */
export interface SignedMessage {
  readonly message: string;
  /** What the signature is for: `-n` of `ssh-keygen -Y sign`. */
  readonly namespace: string;
}

const MAGIC = "SSHSIG";
const VERSION = 1;
const LONGEST = 16_384;
const ARMOR = /^-----BEGIN SSH SIGNATURE-----\s([A-Za-z0-9+/=\s]+)-----END SSH SIGNATURE-----\s*$/;
const HASHES: readonly string[] = ["sha256", "sha512"];

/**
 * The key that made a signature of `ssh-keygen -Y sign` over this message and namespace; null where none
 * did. The format is OpenSSH's PROTOCOL.sshsig. The caller decides whether that key may sign in.
 */
export function verifySshSignature(
  armored: string,
  { message, namespace }: SignedMessage,
): SshPublicKey | null {
  if (typeof armored !== "string" || armored.length > LONGEST) return null;
  const base64 = ARMOR.exec(armored)?.[1];
  if (base64 === undefined) return null;
  try {
    const reader = new WireReader(Buffer.from(base64, "base64"));
    if (reader.bytes(MAGIC.length).toString("latin1") !== MAGIC) return null;
    if (reader.uint32() !== VERSION) return null;
    const signer = readPublicKey(reader.string());
    const signedNamespace = reader.text();
    const reserved = reader.string();
    const hash = reader.text();
    const signature = new WireReader(reader.string());
    if (!reader.atEnd || signer === null) return null;
    if (signedNamespace !== namespace || !HASHES.includes(hash)) return null;
    const data = Buffer.concat([
      Buffer.from(MAGIC, "latin1"),
      wireString(namespace),
      wireString(reserved),
      wireString(hash),
      wireString(createHash(hash).update(message, "utf8").digest()),
    ]);
    const format = signature.text();
    const bytes = signature.string();
    if (!signature.atEnd) return null;
    return fits(signer, { format, bytes, data }) ? signer : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

interface Signature {
  readonly format: string;
  readonly bytes: Buffer;
  readonly data: Buffer;
}

const VERIFIERS: Readonly<
  Record<SshKeyType, (signer: SshPublicKey, signature: Signature) => boolean>
> = {
  "ssh-ed25519": ({ key }, { format, bytes, data }) =>
    format === "ssh-ed25519" && verify(null, data, key, bytes),
  "ecdsa-sha2-nistp256": ({ key }, { format, bytes, data }) => {
    if (format !== "ecdsa-sha2-nistp256") return false;
    const numbers = new WireReader(bytes);
    const pair = Buffer.concat([padded(numbers.unsigned()), padded(numbers.unsigned())]);
    return numbers.atEnd && verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, pair);
  },
  // not "ssh-rsa", which is SHA-1
  "ssh-rsa": ({ key }, { format, bytes, data }) => {
    if (format === "rsa-sha2-512") return verify("sha512", data, key, bytes);
    return format === "rsa-sha2-256" && verify("sha256", data, key, bytes);
  },
};

function fits(signer: SshPublicKey, signature: Signature): boolean {
  return VERIFIERS[signer.type](signer, signature);
}

/** A number of P-256 in 32 bytes. */
function padded(number: Buffer): Buffer {
  if (number.length > 32) throw new RangeError("a number beyond the curve");
  return Buffer.concat([Buffer.alloc(32 - number.length), number]);
}
