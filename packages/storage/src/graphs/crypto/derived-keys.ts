import { LruMap } from "../lru-map.ts";

/** What a key is derived from. */
export interface Derivation {
  readonly key: string;
  readonly keyVersion: number;
  /** 16 bytes as base64 text, and the bytes themselves. */
  readonly saltText: string;
  readonly salt: Uint8Array<ArrayBuffer>;
}

/** PBKDF2 rounds: 100,000 for version 1, 200,000 for every later one. */
function iterationsOf(keyVersion: number): number {
  return keyVersion === 1 ? 100_000 : 200_000;
}

/**
 * AES keys derived by PBKDF2-SHA-256, kept in memory by key, salt and version, the least recently used
 * forgotten first. Derivation takes tens of milliseconds, decryption itself a tenth of one. The keys are
 * not extractable.
 */
export class DerivedKeys {
  readonly #keys: LruMap<string, Promise<CryptoKey>>;

  constructor(limit: number) {
    this.#keys = new LruMap(limit);
  }

  get size(): number {
    return this.#keys.size;
  }

  /** The derived key; callers at the same time share one derivation. */
  get(derivation: Derivation): Promise<CryptoKey> {
    const { key, keyVersion, saltText } = derivation;
    const id = `${iterationsOf(keyVersion)} ${saltText} ${key}`;
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const derived = derive(derivation);
    this.#keys.set(id, derived);
    derived.catch(() => this.#keys.delete(id));
    return derived;
  }

  clear(): void {
    this.#keys.clear();
  }
}

async function derive({ key, keyVersion, salt }: Derivation): Promise<CryptoKey> {
  const password = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(key),
    "PBKDF2",
    false,
    ["deriveKey"],
  );
  return crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: iterationsOf(keyVersion) },
    password,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}
