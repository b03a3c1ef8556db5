import { createCipheriv, createDecipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import {
  clearDerivedKeys,
  countVersions,
  decrypt,
  type EncryptedData,
  encrypt,
  generateEncryptionKey,
  KeyRing,
  SecretGraph,
  StorageError,
  validateNode,
} from "@alkdev/storage/graphs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const KEY = generateEncryptionKey();
const OTHER = generateEncryptionKey();
const TEXT = "correct horse battery staple";

interface Vector {
  readonly plaintext: string;
  readonly key: string;
  readonly encrypted: EncryptedData;
}

const { vectors } = JSON.parse(
  readFileSync(new URL("./vectors/encrypted-data.json", import.meta.url), "utf8"),
) as { vectors: Vector[] };

async function refusal(work: Promise<unknown>): Promise<StorageError> {
  const error: unknown = await work.then(
    () => new Error("nothing was refused"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StorageError);
  return error as StorageError;
}

/** What the format says, in node:crypto. */
function decryptWithNode({ keyVersion, salt, iv, data }: EncryptedData, key: string): string {
  const rounds = keyVersion === 1 ? 100_000 : 200_000;
  const derived = pbkdf2Sync(key, Buffer.from(salt, "base64"), rounds, 32, "sha256");
  const decipher = createDecipheriv("aes-256-gcm", derived, Buffer.from(iv, "base64"));
  const bytes = Buffer.from(data, "base64");
  decipher.setAuthTag(bytes.subarray(-16));
  if (keyVersion > 2) decipher.setAAD(Buffer.from(`keyVersion:${keyVersion}`));
  return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString(
    "utf8",
  );
}

afterAll(() => clearDerivedKeys());

/** One per version, as every derivation takes tens of milliseconds. */
const sealed = new Map<number, EncryptedData>();
beforeAll(async () => {
  for (const version of [1, 2, 3, 4]) sealed.set(version, await encrypt(TEXT, KEY, version));
});
const sealedWith = (version: number) => sealed.get(version) as EncryptedData;

describe("tampering (M29)", () => {
  const flip = (text: string, at: number): string => {
    const bytes = Buffer.from(text, "base64");
    const index = at < 0 ? bytes.length + at : at;
    bytes[index] = (bytes[index] ?? 0) ^ 1;
    return bytes.toString("base64");
  };
  const changes: readonly [string, (it: EncryptedData) => unknown, string][] = [
    ["the first bit of the salt", (it) => ({ ...it, salt: flip(it.salt, 0) }), "DECRYPTION_FAILED"],
    [
      "the last byte of the salt",
      (it) => ({ ...it, salt: flip(it.salt, -1) }),
      "DECRYPTION_FAILED",
    ],
    ["the nonce", (it) => ({ ...it, iv: flip(it.iv, 3) }), "DECRYPTION_FAILED"],
    ["the ciphertext", (it) => ({ ...it, data: flip(it.data, 0) }), "DECRYPTION_FAILED"],
    ["the tag", (it) => ({ ...it, data: flip(it.data, -1) }), "DECRYPTION_FAILED"],
    [
      "a byte cut off the data",
      (it) => ({ ...it, data: Buffer.from(it.data, "base64").subarray(0, -1).toString("base64") }),
      "DECRYPTION_FAILED",
    ],
    [
      "a byte added to the data",
      (it) => ({
        ...it,
        data: Buffer.concat([Buffer.from(it.data, "base64"), Buffer.from([0])]).toString("base64"),
      }),
      "DECRYPTION_FAILED",
    ],
    [
      "the version, up by one",
      (it) => ({ ...it, keyVersion: it.keyVersion + 1 }),
      "DECRYPTION_FAILED",
    ],
    ["the version, far up", (it) => ({ ...it, keyVersion: 2 ** 40 }), "DECRYPTION_FAILED"],
    ["the version, to 0", (it) => ({ ...it, keyVersion: 0 }), "INVALID_ENCRYPTED_DATA"],
    ["the version, to a half", (it) => ({ ...it, keyVersion: 1.5 }), "INVALID_ENCRYPTED_DATA"],
    ["the version, to text", (it) => ({ ...it, keyVersion: "1" }), "INVALID_ENCRYPTED_DATA"],
    [
      "the version, beyond 2^53",
      (it) => ({ ...it, keyVersion: 2 ** 60 }),
      "INVALID_ENCRYPTED_DATA",
    ],
    [
      "a stray bit of the salt's base64",
      (it) => ({ ...it, salt: `${it.salt.slice(0, 21)}${strayBit(it.salt.at(21) ?? "")}==` }),
      "INVALID_ENCRYPTED_DATA",
    ],
    ["a shorter salt", (it) => ({ ...it, salt: it.salt.slice(4) }), "INVALID_ENCRYPTED_DATA"],
    [
      "a salt without padding",
      (it) => ({ ...it, salt: it.salt.replaceAll("=", "") }),
      "INVALID_ENCRYPTED_DATA",
    ],
    ["an empty nonce", (it) => ({ ...it, iv: "" }), "INVALID_ENCRYPTED_DATA"],
    [
      "a nonce of another alphabet",
      (it) => ({ ...it, iv: "-_-_-_-_-_-_-_-_" }),
      "INVALID_ENCRYPTED_DATA",
    ],
    ["white space in the data", (it) => ({ ...it, data: `${it.data} ` }), "INVALID_ENCRYPTED_DATA"],
    ["no data", ({ data: _, ...rest }) => rest, "INVALID_ENCRYPTED_DATA"],
    ["data that is less than a tag", (it) => ({ ...it, data: "AAAA" }), "INVALID_ENCRYPTED_DATA"],
    ["one more field", (it) => ({ ...it, alg: "none" }), "INVALID_ENCRYPTED_DATA"],
    ["null", () => null, "INVALID_ENCRYPTED_DATA"],
  ];

  describe.each([1, 2, 3])("data of key version %d", (version) => {
    it.each(changes)("fails on %s", async (_, change, code) => {
      const encrypted = sealedWith(version);
      const error = await refusal(decrypt(change(encrypted) as EncryptedData, KEY));
      expect(error.code).toBe(code);
      const shown = `${inspect(error, { depth: 9 })}${JSON.stringify(error)}${error.stack}`;
      expect(shown).not.toContain(TEXT);
      expect(shown).not.toContain(KEY);
    });

    it("fails on another version down to 1", async () => {
      const encrypted = sealedWith(version + 1);
      for (let keyVersion = 1; keyVersion <= version; keyVersion += 1) {
        expect((await refusal(decrypt({ ...encrypted, keyVersion }, KEY))).code).toBe(
          "DECRYPTION_FAILED",
        );
      }
    });
  });

  it("fails on another key", async () => {
    const error = await refusal(decrypt(sealedWith(1), OTHER));
    expect(error.code).toBe("DECRYPTION_FAILED");
    expect(error.message).toMatch(/key version 1 .*not the one/);
  });

  it("fails on fields of two encryptions of the same text", async () => {
    const [a, b] = [await encrypt(TEXT, KEY), await encrypt(TEXT, KEY)];
    for (const field of ["salt", "iv", "data"] as const) {
      expect((await refusal(decrypt({ ...a, [field]: b[field] }, KEY))).code).toBe(
        "DECRYPTION_FAILED",
      );
    }
  });
});

/** The same bytes in a lenient decoder: the character's unused bits changed. */
function strayBit(character: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return alphabet[alphabet.indexOf(character) ^ 1] ?? "";
}

describe("encrypt and decrypt refuse (M29)", () => {
  it.each([
    ["an empty key", TEXT, "", 1, "INVALID_KEY"],
    ["a short key", TEXT, "hunter2", 1, "INVALID_KEY"],
    ["a key that is no text", TEXT, 1234 as never, 1, "INVALID_KEY"],
    ["a key with an unpaired surrogate", TEXT, `${KEY}\ud800`, 1, "INVALID_KEY"],
    ["version 0", TEXT, KEY, 0, "INVALID_KEY"],
    ["version NaN", TEXT, KEY, Number.NaN, "INVALID_KEY"],
    ["version 1.5", TEXT, KEY, 1.5, "INVALID_KEY"],
    ["a text that is none", null as never, KEY, 1, "INVALID_ARGUMENT"],
    ["a text that would not come back", "a\ud800", KEY, 1, "INVALID_ARGUMENT"],
  ])("%s", async (_, text, key, version, code) => {
    const error = await refusal(encrypt(text, key, version));
    expect(error.code).toBe(code);
    expect(inspect(error)).not.toContain("hunter2");
  });

  it("decryption without a key", async () => {
    expect((await refusal(decrypt(sealedWith(1), ""))).code).toBe("INVALID_KEY");
  });
});

describe("encrypted data (M29)", () => {
  it("makes 256-bit keys, never the same", () => {
    const keys = Array.from({ length: 100 }, generateEncryptionKey);
    expect(new Set(keys).size).toBe(100);
    for (const key of keys) expect(Buffer.from(key, "base64")).toHaveLength(32);
  });

  it("decrypts what Python encrypted", async () => {
    expect(vectors).toHaveLength(7);
    for (const { encrypted, key, plaintext } of vectors) {
      expect(await decrypt(encrypted, key)).toBe(plaintext);
      expect(decryptWithNode(encrypted, key)).toBe(plaintext);
    }
  });

  it.each([1, 2, 3, 41])("is decrypted by node:crypto at key version %d", async (version) => {
    const encrypted = await encrypt("naïve 🔑", KEY, version);
    expect(encrypted.keyVersion).toBe(version);
    expect(decryptWithNode(encrypted, KEY)).toBe("naïve 🔑");
  });

  it("decrypts what node:crypto encrypted", async () => {
    const [salt, iv] = [randomBytes(16), randomBytes(12)];
    const cipher = createCipheriv("aes-256-gcm", pbkdf2Sync(KEY, salt, 200_000, 32, "sha256"), iv);
    const data = Buffer.concat([cipher.update(TEXT), cipher.final(), cipher.getAuthTag()]);
    const text = (bytes: Buffer) => bytes.toString("base64");
    expect(
      await decrypt({ keyVersion: 2, salt: text(salt), iv: text(iv), data: text(data) }, KEY),
    ).toBe(TEXT);
  });

  it.each(["", " ", "\0", "\ufeff", "a".repeat(10_000_000)])(
    "keeps every text (case %#)",
    async (text) => {
      const encrypted = await encrypt(text, KEY);
      expect((await decrypt(encrypted, KEY)) === text).toBe(true);
    },
  );

  it("never looks the same twice, and fits a SecretNode", async () => {
    const [a, b] = [await encrypt(TEXT, KEY), await encrypt(TEXT, KEY)];
    expect(a.salt).not.toBe(b.salt);
    expect(a.iv).not.toBe(b.iv);
    expect(a.data).not.toBe(b.data);
    expect(validateNode(SecretGraph, "SecretNode", { name: "n", value: a })).toBe(true);
    expect(validateNode(SecretGraph, "SecretNode", { name: "n", value: { ...a, iv: "" } })).toBe(
      false,
    );
  });
});

describe("a key ring (M29)", () => {
  it.each([
    ["no keys", { keys: {} }, "UNKNOWN_KEY_VERSION"],
    ["a current version it lacks", { keys: { 1: KEY }, current: 2 }, "UNKNOWN_KEY_VERSION"],
    ["a short key", { keys: { 1: "short" } }, "INVALID_KEY"],
    ["version 0", { keys: { 0: KEY } }, "INVALID_KEY"],
    ["a version that is no number", { keys: { a: KEY } as never }, "INVALID_KEY"],
    ["no room for derived keys", { keys: { 1: KEY }, cachedKeys: 0 }, "INVALID_ARGUMENT"],
    ["half a text per salt", { keys: { 1: KEY }, textsPerSalt: 0.5 }, "INVALID_ARGUMENT"],
  ])("refuses %s", (_, options, code) => {
    expect(() => new KeyRing(options)).toThrow(expect.objectContaining({ code }));
  });

  it("encrypts with the current key, decrypts with the one the data names", async () => {
    const ring = new KeyRing({ keys: { 1: KEY, 2: OTHER } });
    expect([ring.currentVersion, ring.versions, ring.has(1), ring.has(3)]).toEqual([
      2,
      [1, 2],
      true,
      false,
    ]);
    expect((await ring.encrypt(TEXT)).keyVersion).toBe(2);
    expect(await ring.decrypt(sealedWith(1))).toBe(TEXT);
    const error = await refusal(ring.decrypt(sealedWith(3)));
    expect(error).toMatchObject({
      code: "UNKNOWN_KEY_VERSION",
      details: { version: 3, held: [1, 2] },
    });
    expect((await refusal(ring.decrypt({} as EncryptedData))).code).toBe("INVALID_ENCRYPTED_DATA");
  });

  it("can hold a newer key back", async () => {
    const ring = new KeyRing({ keys: { 1: KEY, 2: OTHER }, current: 1 });
    expect((await ring.encrypt(TEXT)).keyVersion).toBe(1);
    const newer = await encrypt(TEXT, OTHER, 2);
    expect(await ring.reencrypt(newer)).toBe(newer);
  });

  it("rotates: a newer key, every value encrypted again, then the old key goes, and not before", async () => {
    const ring = new KeyRing({ keys: { 1: KEY } });
    let stored = [await ring.encrypt("a"), await ring.encrypt("b"), await ring.encrypt("c")];
    expect(() => ring.remove(1, 0)).toThrow(expect.objectContaining({ code: "KEY_IN_USE" }));
    for (const version of [1, 0]) {
      expect(() => ring.add(version, OTHER)).toThrow(
        expect.objectContaining({ code: "INVALID_KEY" }),
      );
    }
    ring.add(2, OTHER);
    const remaining = () => countVersions(stored).get(1) ?? 0;
    const [first] = stored;
    if (first !== undefined) stored[0] = await ring.reencrypt(first);
    expect(countVersions(stored)).toEqual(
      new Map([
        [1, 2],
        [2, 1],
      ]),
    );
    expect(() => ring.remove(1, remaining())).toThrow(/needed by 2 values/);
    // killed here and started again: what is done stays as it is
    const before = stored[0];
    stored = await Promise.all(stored.map((value) => ring.reencrypt(value)));
    expect(stored[0]).toBe(before);
    ring.remove(1, remaining());
    expect(ring.versions).toEqual([2]);
    expect(await Promise.all(stored.map((value) => ring.decrypt(value)))).toEqual(["a", "b", "c"]);
    expect(() => ring.remove(1, 0)).toThrow(
      expect.objectContaining({ code: "UNKNOWN_KEY_VERSION" }),
    );
  });

  it("does not count what it cannot read", () => {
    expect(() => countVersions([{} as EncryptedData])).toThrow(/malformed/);
  });

  it("keeps a bounded number of derived keys, and none after it was told so", async () => {
    const ring = new KeyRing({ keys: { 1: KEY }, cachedKeys: 2 });
    const values = [await ring.encrypt("a"), await ring.encrypt("b"), await ring.encrypt("c")];
    expect(ring.derivedKeys).toBe(2);
    ring.clearDerivedKeys();
    expect(ring.derivedKeys).toBe(0);
    await Promise.all(values.map((value) => ring.decrypt(value)));
    expect(ring.derivedKeys).toBe(2);
  });

  it("derives a key once for those who need it at the same time", async () => {
    const ring = new KeyRing({ keys: { 1: KEY }, textsPerSalt: 10 });
    const [first, ...rest] = await Promise.all(["a", "b", "c"].map((text) => ring.encrypt(text)));
    ring.clearDerivedKeys();
    const all = [first as EncryptedData, ...rest];
    const texts = await Promise.all(all.map((value) => ring.decrypt(value)));
    expect(texts).toEqual(["a", "b", "c"]);
    expect(ring.derivedKeys).toBe(1);
  });

  it("forgets the derived keys of a key that is removed", async () => {
    const ring = new KeyRing({ keys: { 1: KEY } });
    const value = await ring.encrypt("a");
    ring.add(2, OTHER);
    ring.remove(1, 0);
    expect(ring.derivedKeys).toBe(0);
    expect((await refusal(ring.decrypt(value))).code).toBe("UNKNOWN_KEY_VERSION");
  });

  it("shares a salt among as many texts as it was told, never a nonce", async () => {
    const ring = new KeyRing({ keys: { 1: KEY }, textsPerSalt: 3 });
    const values = [];
    for (let i = 0; i < 7; i += 1) values.push(await ring.encrypt(TEXT));
    expect(new Set(values.map(({ salt }) => salt)).size).toBe(3);
    expect(new Set(values.map(({ iv }) => iv)).size).toBe(7);
    expect(await ring.decrypt(values[6] as EncryptedData)).toBe(TEXT);
  });

  it("shows its keys to nobody", () => {
    const ring = new KeyRing({ keys: { 1: KEY } });
    expect(inspect(ring, { depth: 9, showHidden: true }) + JSON.stringify(ring)).not.toContain(KEY);
  });
});
