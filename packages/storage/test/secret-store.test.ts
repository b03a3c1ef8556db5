import { readdirSync, readFileSync } from "node:fs";
import { inspect } from "node:util";
import { open } from "@alkdev/honker";
import { generateEncryptionKey, KeyRing, type StorageError } from "@alkdev/storage/graphs";
import {
  createGraphStore,
  createSecretStore,
  createTenantDatabase,
  retireKey,
  rotateSecrets,
  type SecretOptions,
  type SecretStore,
  type TenantDatabase,
} from "@alkdev/storage/sqlite";
import { FakeClock, tempDatabase, tempFolder } from "@alkdev/testkit";
import { beforeEach, describe, expect, it } from "vitest";

const KEY = generateEncryptionKey();
const TEXT = "correct horse battery staple";

let tenant: TenantDatabase;
let ring: KeyRing;
let secrets: SecretStore;
beforeEach(() => {
  tenant = createTenantDatabase(tempDatabase());
  ring = new KeyRing({ keys: { 1: KEY }, textsPerSalt: 1_000 });
  secrets = createSecretStore(tenant, ring);
});

async function refusal(work: Promise<unknown>): Promise<StorageError> {
  const error: unknown = await work.then(
    () => new Error("nothing was refused"),
    (reason: unknown) => reason,
  );
  const shown = `${inspect(error, { depth: 9 })}${JSON.stringify(error)}${(error as Error).stack}`;
  expect(shown).not.toContain(TEXT);
  expect(shown).not.toContain(KEY);
  return error as StorageError;
}

describe("a secret store refuses, and says nothing of the secret (M29)", () => {
  const tags = (list: unknown): SecretOptions => ({ tags: list as string[] });
  it.each<[string, unknown, unknown, SecretOptions, string]>([
    ["an empty name", "", TEXT, {}, "INVALID_ATTRIBUTES"],
    ["no name", null, TEXT, {}, "INVALID_ATTRIBUTES"],
    ["a name of 513 characters", "n".repeat(513), TEXT, {}, "INVALID_ATTRIBUTES"],
    ["no text", "n", null, {}, "INVALID_ARGUMENT"],
    ["a number", "n", 5, {}, "INVALID_ARGUMENT"],
    ["a Buffer", "n", Buffer.from(TEXT), {}, "INVALID_ARGUMENT"],
    ["half a character", "n", `${TEXT}\ud800`, {}, "INVALID_ARGUMENT"],
    ["an empty type", "n", TEXT, { secretType: "" }, "INVALID_ATTRIBUTES"],
    ["a tag twice", "n", TEXT, tags(["a", "a"]), "INVALID_ATTRIBUTES"],
    ["a tag that is no text", "n", TEXT, tags([1]), "INVALID_ATTRIBUTES"],
    ["no date", "n", TEXT, { expiresAt: new Date(Number.NaN) }, "INVALID_ATTRIBUTES"],
  ])("%s", async (_, name, text, options, code) => {
    const error = await refusal(secrets.put(name as string, text as string, options));
    expect(error.code).toBe(code);
    expect(secrets.list()).toEqual([]);
    expect(tenant.$client.rows("SELECT * FROM nodes")).toEqual([]);
  });

  it("an archived graph, a closed database, a missing key, a changed value", async () => {
    await secrets.put("n", TEXT);
    const store = createGraphStore(tenant);
    const [graph] = store.listGraphs({ type: "secret_graph" }).items;
    store.archiveGraph(graph?.id as string);
    expect((await refusal(secrets.put("n", TEXT))).code).toBe("READ_ONLY");
    const other = createSecretStore(tenant, new KeyRing({ keys: { 2: generateEncryptionKey() } }));
    expect((await refusal(other.get("n"))).code).toBe("UNKNOWN_KEY_VERSION");
    const wrong = createSecretStore(tenant, new KeyRing({ keys: { 1: generateEncryptionKey() } }));
    expect((await refusal(wrong.get("n"))).code).toBe("DECRYPTION_FAILED");
    tenant.$client.execute("UPDATE nodes SET attributes = json_remove(attributes, '$.value.iv')");
    expect((await refusal(secrets.get("n"))).code).toBe("INVALID_ENCRYPTED_DATA");
    tenant.$client.close();
    expect((await refusal(secrets.put("n", TEXT))).code).toBe("CLOSED");
    expect((await refusal(secrets.get("n"))).code).toBe("CLOSED");
    for (const call of [secrets.list, secrets.versions, () => secrets.remove("n")]) {
      expect(call).toThrow(expect.objectContaining({ code: "CLOSED" }));
    }
  });
});

describe("a secret store (M29)", () => {
  it("is empty before the first secret, and makes no graph for asking", async () => {
    expect(await secrets.get("n")).toBeNull();
    expect([secrets.describe("n"), secrets.list(), secrets.remove("n")]).toEqual([null, [], false]);
    expect(secrets.versions()).toEqual(new Map());
    expect(tenant.$client.rows("SELECT * FROM graphs")).toEqual([]);
  });

  it.each(["", " ", "hunter2", "naïve 日本語 🔑", "\0", "x".repeat(1_000_000)])(
    "gives back what was put (case %#)",
    async (text) => {
      await secrets.put("n", text);
      expect((await secrets.get("n")) === text).toBe(true);
    },
  );

  it("lists what is known without a key, never the secret", async () => {
    const expiresAt = new Date("2030-01-01T00:00:00Z");
    const options = { description: "mail", secretType: "password", tags: ["a", "b"], expiresAt };
    const info = await secrets.put("smtp", TEXT, options);
    await secrets.put("other", TEXT);
    expect(info).toEqual({
      ...options,
      name: "smtp",
      rotatedAt: null,
      keyVersion: 1,
      updatedAt: expect.any(Date),
    });
    expect(secrets.list()).toEqual([secrets.describe("other"), info]);
    expect(JSON.stringify(secrets.list())).not.toContain(TEXT);
    expect(secrets.versions()).toEqual(new Map([[1, 2]]));
    expect([secrets.remove("other"), secrets.remove("other")]).toEqual([true, false]);
    expect(secrets.list()).toEqual([info]);
  });

  it("puts in place of what was there, also what was said beside it", async () => {
    await secrets.put("n", "old", { description: "d", tags: ["t"] });
    await secrets.put("n", "new");
    expect(await secrets.get("n")).toBe("new");
    expect(secrets.describe("n")).toMatchObject({ description: null, tags: [] });
    const events = tenant.$client.rows("SELECT channel FROM _honker_notifications ORDER BY id");
    expect(events.flat()).toEqual(["graph:created", "nodes:created", "nodes:updated"]);
  });

  it("gives an expired secret to nobody", async () => {
    const clock = new FakeClock();
    const store = createSecretStore(tenant, ring, { clock });
    await store.put("n", TEXT, { expiresAt: new Date(clock.now() + 1_000) });
    expect(await store.get("n")).toBe(TEXT);
    clock.advance(1_000);
    expect(await store.get("n")).toBeNull();
    expect(store.list()).toHaveLength(1);
  });

  it("keeps graphs of other names apart", async () => {
    const other = createSecretStore(tenant, ring, { graph: "ci" });
    await secrets.put("n", "a");
    await other.put("n", "b");
    expect([await secrets.get("n"), await other.get("n")]).toEqual(["a", "b"]);
  });

  it("rolls back with the transaction it is written in", async () => {
    await secrets.put("n", "kept");
    const tx = tenant.$client.transaction();
    secrets.remove("n");
    tx.rollback();
    expect(await secrets.get("n")).toBe("kept");
  });

  it("encrypts again when a newer key comes while it encrypts", async () => {
    const putting = secrets.put("n", TEXT);
    ring.add(2, generateEncryptionKey());
    retireKey(tenant, ring, 1);
    expect((await putting).keyVersion).toBe(2);
    expect(await secrets.get("n")).toBe(TEXT);
  });

  it("no longer writes with a key that another process retired", async () => {
    await secrets.put("n", TEXT);
    const older = createSecretStore(tenant, new KeyRing({ keys: { 1: KEY } }));
    ring.add(2, generateEncryptionKey());
    await rotateSecrets(tenant, ring);
    retireKey(tenant, ring, 1);
    const error = await refusal(older.put("n", "older"));
    expect(error).toMatchObject({ code: "UNKNOWN_KEY_VERSION", details: { version: 1 } });
    expect(await secrets.get("n")).toBe(TEXT);
  });

  it("leaves no trace of secret or key in the file, its journal, its jobs and its events", async () => {
    const folder = tempFolder();
    const client = open(`${folder}/t.db`);
    const file = createTenantDatabase(client);
    const keys = { 1: KEY, 2: generateEncryptionKey() };
    const own = new KeyRing({ keys: { 1: keys[1] }, textsPerSalt: 1_000 });
    const store = createSecretStore(file, own);
    for (let i = 0; i < 20; i += 1) await store.put(`n-${i}`, `${TEXT} ${i}`);
    own.add(2, keys[2]);
    await rotateSecrets(file, own, { batchSize: 7 });
    store.remove("n-3");
    client.close();
    const names = readdirSync(folder);
    expect(names).toContain("t.db");
    for (const name of names) {
      const bytes = readFileSync(`${folder}/${name}`);
      expect(bytes.includes("n-4")).toBe(name === "t.db");
      for (const hidden of [
        TEXT,
        Buffer.from(TEXT).toString("base64").slice(0, 30),
        ...Object.values(keys),
      ]) {
        expect(bytes.includes(hidden)).toBe(false);
      }
    }
  });
});
