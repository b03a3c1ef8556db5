import {
  defineModule,
  EncryptedDataSchema,
  edgeAttributes,
  generateEncryptionKey,
  graphConfig,
  KeyRing,
  nodeAttributes,
} from "@alkdev/storage/graphs";
import {
  countKeyVersions,
  createGraphStore,
  createSecretStore,
  createTenantDatabase,
  type RotateOptions,
  type RotationProgress,
  registerGraphType,
  retireKey,
  rotateSecrets,
  type SecretStore,
  type TenantDatabase,
} from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { Type } from "@sinclair/typebox";
import { beforeEach, describe, expect, it } from "vitest";

let tenant: TenantDatabase;
let ring: KeyRing;
let secrets: SecretStore;
beforeEach(() => {
  tenant = createTenantDatabase(tempDatabase());
  ring = newRing();
  secrets = createSecretStore(tenant, ring);
});

function newRing(): KeyRing {
  return new KeyRing({ keys: { 1: generateEncryptionKey() }, textsPerSalt: 1_000 });
}

async function putMany(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await secrets.put(`s-${i}`, `text ${i}`);
}

async function expectAll(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) expect(await secrets.get(`s-${i}`)).toBe(`text ${i}`);
}

const versions = () => Object.fromEntries(countKeyVersions(tenant));

describe("rotation refuses (M29)", () => {
  it.each<[string, RotateOptions]>([
    ["batches of nothing", { batchSize: 0 }],
    ["half a batch", { batchSize: 0.5 }],
    ["huge batches", { batchSize: 10_001 }],
  ])("%s", async (_, options) => {
    const error = expect.objectContaining({ code: "INVALID_ARGUMENT" });
    await expect(rotateSecrets(tenant, ring, options)).rejects.toEqual(error);
  });

  it("to retire the current key, one it has not, and one that a value needs", async () => {
    await putMany(3);
    const code = (version: number) => {
      try {
        retireKey(tenant, ring, version);
      } catch (error) {
        return (error as { code: string }).code;
      }
      return "none";
    };
    expect([code(1), code(2), code(Number.NaN)]).toEqual([
      "KEY_IN_USE",
      "UNKNOWN_KEY_VERSION",
      "UNKNOWN_KEY_VERSION",
    ]);
    ring.add(2, generateEncryptionKey());
    expect(() => retireKey(tenant, ring, 1)).toThrow(/needed by 3 values/);
    expect(ring.versions).toEqual([1, 2]);
    // and the refusals have retired nothing
    await secrets.put("s-9", "text 9");
    expect(versions()).toEqual({ 1: 3, 2: 1 });
  });

  it("what is malformed: it must not let a key go", async () => {
    await putMany(2);
    ring.add(2, generateEncryptionKey());
    tenant.$client.execute(
      "UPDATE nodes SET attributes = json_set(attributes, '$.value.keyVersion', 'one') WHERE key = 's-1'",
    );
    const message = /node "s-1" of graph ".*" holds malformed encrypted data at \/value/;
    expect(() => retireKey(tenant, ring, 1)).toThrow(message);
    await expect(rotateSecrets(tenant, ring)).rejects.toThrow(message);
    expect(ring.has(1)).toBe(true);
  });

  it("while a graph type is being migrated", async () => {
    await putMany(1);
    tenant.$client.execute("INSERT INTO graph_types (id, name, version) VALUES ('t', 'things', 3)");
    const error = { code: "MIGRATION_STATE", message: expect.stringContaining('"things"') };
    await expect(rotateSecrets(tenant, ring)).rejects.toMatchObject(error);
    expect(() => retireKey(tenant, ring, 1)).toThrow(expect.objectContaining(error));
  });
});

describe("rotation (M29)", () => {
  it("encrypts everything again, batch by batch, and then lets the old key go", async () => {
    await putMany(10);
    ring.add(2, generateEncryptionKey());
    const progress: RotationProgress[] = [];
    const done = await rotateSecrets(tenant, ring, {
      batchSize: 4,
      onProgress: (it) => progress.push(it),
    });
    expect(done).toEqual({ rotated: 10, failures: [] });
    expect(progress).toEqual([4, 8, 10].map((n) => ({ done: n, total: 10, failed: 0 })));
    expect(versions()).toEqual({ 2: 10 });
    retireKey(tenant, ring, 1);
    expect(ring.versions).toEqual([2]);
    await expectAll(10);
    const [node] = tenant.$client.rows(
      "SELECT json_extract(metadata, '$._metagraph.revision') FROM nodes WHERE key = 's-1'",
    );
    expect(node).toEqual([2]);
    expect(secrets.describe("s-1")?.rotatedAt).toBeInstanceOf(Date);
    const events = tenant.$client.rows(
      "SELECT json_array_length(payload, '$.keys') FROM _honker_notifications WHERE channel = 'nodes:updated'",
    );
    expect(events.flat()).toEqual([4, 4, 2]);
    expect(await rotateSecrets(tenant, ring)).toEqual({ rotated: 0, failures: [] });
  });

  it("rotates an archived graph too, and several graphs", async () => {
    const other = createSecretStore(tenant, ring, { graph: "other" });
    await putMany(2);
    await other.put("o", "text o");
    const store = createGraphStore(tenant);
    for (const { id } of store.listGraphs().items) store.archiveGraph(id);
    ring.add(2, generateEncryptionKey());
    expect(await rotateSecrets(tenant, ring)).toMatchObject({ rotated: 3 });
    expect(await other.get("o")).toBe("text o");
  });

  it("covers encrypted attributes of other graph types, of nodes and of edges", async () => {
    const E = Type.Ref("EncryptedData");
    const Module = defineModule(
      { name: "hosts" },
      {
        Config: graphConfig(),
        EncryptedData: EncryptedDataSchema,
        HostNode: nodeAttributes({
          login: Type.Union([E, Type.Null()]),
          keys: Type.Record(Type.String(), Type.Array(E)),
        }),
        LinkEdge: edgeAttributes({ token: E, note: Type.String() }),
      },
    );
    registerGraphType(tenant, Module, { scope: "tenant" });
    const graph = createGraphStore(tenant).graph(
      createGraphStore(tenant).createGraph({ type: "hosts", name: "h" }).id,
    );
    const sealed = (text: string) => ring.encrypt(text);
    const keys = { x: [await sealed("x0"), await sealed("x1")], y: [] };
    graph.insertNodes([
      { key: "a", type: "host", attributes: { login: await sealed("a"), keys } },
      { key: "b", type: "host", attributes: { login: null, keys: {} } },
    ]);
    const attributes = { token: await sealed("t"), note: "plain" };
    graph.insertEdges([{ type: "link", source: "a", target: "b", attributes }]);
    await putMany(1);
    expect(versions()).toEqual({ 1: 5 });
    ring.add(2, generateEncryptionKey());
    // nodes and edges in one batch and in many
    expect(await rotateSecrets(tenant, ring, { batchSize: 1 })).toEqual({
      rotated: 5,
      failures: [],
    });
    ring.add(3, generateEncryptionKey());
    expect(await rotateSecrets(tenant, ring, { batchSize: 100 })).toMatchObject({ rotated: 5 });
    retireKey(tenant, ring, 1);
    retireKey(tenant, ring, 2);
    const a = graph.getNode("a")?.attributes as typeof attributes & {
      login: never;
      keys: typeof keys;
    };
    expect(await ring.decrypt(a.login)).toBe("a");
    expect(await ring.decrypt(a.keys.x[1] as never)).toBe("x1");
    expect(graph.getNode("b")).toMatchObject({
      revision: 1,
      attributes: { login: null, keys: {} },
    });
    const [edge] = graph.listEdges().items;
    expect(edge?.attributes).toMatchObject({ note: "plain" });
    expect(await ring.decrypt(edge?.attributes.token as never)).toBe("t");
  });

  it("leaves what it cannot decrypt as it is, names it, and does the rest", async () => {
    await putMany(3);
    const foreign = new KeyRing({ keys: { 1: generateEncryptionKey() } });
    await createSecretStore(tenant, foreign).put("s-1", "of another ring");
    ring.add(2, generateEncryptionKey());
    const { rotated, failures } = await rotateSecrets(tenant, ring);
    expect(rotated).toBe(2);
    expect(failures).toMatchObject([
      { of: "node", key: "s-1", path: "/value", code: "DECRYPTION_FAILED" },
    ]);
    expect(versions()).toEqual({ 1: 1, 2: 2 });
    expect(() => retireKey(tenant, ring, 1)).toThrow(/needed by 1 values/);
    expect(await createSecretStore(tenant, foreign).get("s-1")).toBe("of another ring");
  });

  it("is ended by its signal and goes on where it ended", async () => {
    await putMany(9);
    ring.add(2, generateEncryptionKey());
    const controller = new AbortController();
    const rotating = rotateSecrets(tenant, ring, {
      batchSize: 3,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await expect(rotating).rejects.toThrow("enough");
    expect(versions()).toEqual({ 1: 6, 2: 3 });
    expect(await rotateSecrets(tenant, ring)).toMatchObject({ rotated: 6 });
    await expectAll(9);
  });

  it("never puts an older value back over one that is written meanwhile, and does that one too", async () => {
    await putMany(20);
    const older = ring;
    const newer = newRing();
    const values = [await newer.encrypt("of today"), await older.encrypt("of today")];
    older.add(2, generateEncryptionKey());
    const graph = createGraphStore(tenant);
    const id = graph.listGraphs({ type: "secret_graph" }).items[0]?.id ?? "";
    const rotating = rotateSecrets(tenant, older, { batchSize: 20 });
    // the batch has been read, and is encrypted again while these are written
    graph.graph(id).upsertNodes(
      values.map((value, i) => ({
        key: `s-${i}`,
        type: "secret",
        attributes: { name: `s-${i}`, value },
      })),
    );
    expect(await rotating).toMatchObject({
      rotated: 19,
      failures: [{ key: "s-0", code: "DECRYPTION_FAILED" }],
    });
    expect(versions()).toEqual({ 1: 1, 2: 19 });
    expect(await createSecretStore(tenant, newer).get("s-0")).toBe("of today");
    expect(await secrets.get("s-1")).toBe("of today");
    expect(await secrets.get("s-2")).toBe("text 2");
  });
});
