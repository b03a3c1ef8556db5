import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { StorageError } from "../../../errors.ts";
import { WireReader } from "./wire-reader.ts";

/** Kinds of SSH keys that can be used. */
export type SshKeyType = "ssh-ed25519" | "ecdsa-sha2-nistp256" | "ssh-rsa";

/** An SSH public key. */
export interface SshPublicKey {
  readonly type: SshKeyType;
  /** As `ssh-keygen -l` prints it: `SHA256:` and base64. */
  readonly fingerprint: string;
  readonly key: KeyObject;
}

const LONGEST_LINE = 16_384;
const RSA_BITS = { min: 2_048, max: 16_384 } as const;

/**
 * Reads a public key as it stands in a `.pub` file or in `authorized_keys` without options: type, base64,
 * comment.
 *
 * @throws StorageError `INVALID_ARGUMENT` for another format or type, and for RSA below 2,048 bits
 * @example
 * ```ts
 * parseSshPublicKey(readFileSync("id_ed25519.pub", "utf8")).fingerprint; // "SHA256:…"
 * ```
 */
export function parseSshPublicKey(line: string): SshPublicKey {
  const [type, base64] =
    typeof line === "string" && line.length <= LONGEST_LINE ? line.trim().split(/\s+/) : [];
  const key = base64 === undefined ? null : readPublicKey(Buffer.from(base64, "base64"));
  if (key !== null && key.type === type) return key;
  throw new StorageError(
    "INVALID_ARGUMENT",
    "not a public key: it must be the one line of a .pub file, of type ssh-ed25519, ecdsa-sha2-nistp256 or ssh-rsa from 2048 bits",
    { hint: "ssh-keygen -t ed25519 makes one" },
  );
}

/** Reads a public key in the binary encoding of SSH; null where it is none that can be used. */
export function readPublicKey(blob: Buffer): SshPublicKey | null {
  try {
    const reader = new WireReader(blob);
    const type = reader.text();
    const jwk = jwkOf(type, reader);
    if (jwk === null || !reader.atEnd) return null;
    const key = createPublicKey({ key: jwk, format: "jwk" });
    return { type: type as SshKeyType, fingerprint: fingerprintOf(blob), key };
  } catch {
    // beyond the end of the bytes, or no point of the curve
    return null;
  }
}

function jwkOf(type: string, reader: WireReader): JsonWebKey | null {
  switch (type) {
    case "ssh-ed25519":
      return { kty: "OKP", crv: "Ed25519", x: reader.string().toString("base64url") };
    case "ecdsa-sha2-nistp256": {
      const curve = reader.text();
      const point = reader.string();
      if (curve !== "nistp256" || point.length !== 65 || point[0] !== 4) return null;
      const [x, y] = [point.subarray(1, 33), point.subarray(33)];
      return { kty: "EC", crv: "P-256", x: x.toString("base64url"), y: y.toString("base64url") };
    }
    case "ssh-rsa": {
      const e = reader.unsigned();
      const n = reader.unsigned();
      const bits = n.length * 8 - Math.clz32(n[0] ?? 0) + 24;
      // a huge exponent would make every verification slow
      if (bits < RSA_BITS.min || bits > RSA_BITS.max || e.length > 4) return null;
      return { kty: "RSA", e: e.toString("base64url"), n: n.toString("base64url") };
    }
    default:
      return null;
  }
}

function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}
