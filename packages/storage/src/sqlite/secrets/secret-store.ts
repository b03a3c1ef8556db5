import type { Clock } from "@alkdev/honker";
import { type EncryptedData, type EntryOf, type KeyRing, SecretGraph } from "../../graphs/index.ts";
import type { TenantDatabase } from "../client.ts";
import type { Graph } from "../graph-store/graph.ts";
import { createGraphStore } from "../graph-store/graph-store.ts";
import type { StoredNode } from "../graph-store/rows.ts";
import { nameUuid } from "../name-uuid.ts";
import { requireNotRetired } from "./key-versions.ts";

/** What is known of a secret without a key. */
export interface SecretInfo {
  readonly name: string;
  readonly description: string | null;
  /** What it is for: `api_key`, `password`, `certificate`. */
  readonly secretType: string | null;
  readonly tags: readonly string[];
  /** When it is of no use any more; null: never. */
  readonly expiresAt: Date | null;
  /** When it was last encrypted with a newer key; null: never since it was put. */
  readonly rotatedAt: Date | null;
  /** The key it needs. */
  readonly keyVersion: number;
  readonly updatedAt: Date;
}

/** What is kept beside a secret, readable without a key. */
export interface SecretOptions {
  readonly description?: string;
  /** What it is for: `api_key`, `password`, `certificate`. */
  readonly secretType?: string;
  /** Each once. */
  readonly tags?: readonly string[];
  /** From then on `get` gives null. Default never. */
  readonly expiresAt?: Date;
}

/** Options of {@link createSecretStore}. */
export interface SecretStoreOptions {
  /** Name of the graph that holds the secrets; it is created with the first. Default `secrets`. */
  readonly graph?: string;
  /** What decides whether a secret has expired. Default: the clock of the machine. */
  readonly clock?: Clock;
}

/** Secrets by name. Names, descriptions and tags are not encrypted. */
export interface SecretStore {
  /**
   * Stores a secret under a name, in place of what was there. It is encrypted first and written after,
   * in one transaction with its event.
   *
   * @throws StorageError `INVALID_ARGUMENT` for what is no text; `INVALID_ATTRIBUTES` for a bad name, type
   *   or tag; `READ_ONLY`, `MIGRATION_STATE` for the graph; `UNKNOWN_KEY_VERSION` where the ring's current
   *   key was retired
   */
  put(name: string, plaintext: string, options?: SecretOptions): Promise<SecretInfo>;
  /**
   * The secret, or null where there is none or it has expired.
   *
   * @throws StorageError `UNKNOWN_KEY_VERSION`, `DECRYPTION_FAILED`, `INVALID_ENCRYPTED_DATA`
   */
  get(name: string): Promise<string | null>;
  /** What is known of a secret, or null. */
  describe(name: string): SecretInfo | null;
  /** All secrets by name, also expired ones. */
  list(): readonly SecretInfo[];
  /** Deletes a secret. False where there was none. */
  remove(name: string): boolean;
  /** How many secrets there are of each key version, ascending. */
  versions(): ReadonlyMap<number, number>;
}

type Secret = EntryOf<typeof SecretGraph, "SecretNode">;

const VERSIONS = `SELECT json_extract(attributes, '$.value.keyVersion') AS version, count(*)
  FROM nodes WHERE graph_id = ? AND json_extract(metadata, '$._metagraph.nodeType') = 'secret'
  GROUP BY version ORDER BY version`;

/**
 * A store of secrets in a graph of a tenant's file, encrypted one by one with the ring's current key.
 *
 * @example
 * ```ts
 * const secrets = createSecretStore(tenant, new KeyRing({ keys: { 1: key } }));
 * await secrets.put("smtp", "hunter2", { secretType: "password", tags: ["mail"] });
 * await secrets.get("smtp"); // "hunter2"
 * ```
 */
export function createSecretStore(
  tenant: TenantDatabase,
  ring: KeyRing,
  { graph: graphName = "secrets", clock = { now: () => Date.now() } }: SecretStoreOptions = {},
): SecretStore {
  const client = tenant.$client;
  const store = createGraphStore(tenant, { clock });
  // of the name, so that two processes that create it make one
  const id = nameUuid(`graph:${SecretGraph.name}.${graphName}`);
  const graph = (): Graph | null => (store.getGraph(id) === null ? null : store.graph(id));
  const read = (name: string): StoredNode | null => graph()?.getNode(name) ?? null;
  return {
    put: async (name, plaintext, options = {}) => {
      let value = await ring.encrypt(plaintext);
      // a newer key may have come meanwhile, and this one may be gone
      while (ring.isStale(value)) value = await ring.encrypt(plaintext);
      const attributes = attributesOf(name, value, options);
      return client.transaction((tx) => {
        requireNotRetired(tx, value.keyVersion);
        if (graph() === null) {
          store.createGraph({ id, type: SecretGraph.name, name: graphName, status: "active" });
        }
        store.graph(id).upsertNodes([{ key: name, type: "secret", attributes }]);
        return infoOf(read(name) as StoredNode);
      });
    },
    get: async (name) => {
      const node = read(name);
      if (node === null) return null;
      const { value, expiresAt } = node.attributes as Secret;
      if (expiresAt !== undefined && expiresAt <= clock.now()) return null;
      return ring.decrypt(value);
    },
    describe: (name) => {
      const node = read(name);
      return node === null ? null : infoOf(node);
    },
    list: () => [...(graph()?.eachNode({ type: "secret" }) ?? [])].map(infoOf),
    remove: (name) => (graph()?.deleteNodes([name]) ?? 0) > 0,
    versions: () =>
      new Map(
        client.rows(VERSIONS, [id]).map(([version, count]) => [Number(version), Number(count)]),
      ),
  };
}

function attributesOf(
  name: string,
  value: EncryptedData,
  { expiresAt, description, secretType, tags }: SecretOptions,
): Secret {
  return {
    name,
    value,
    ...(description === undefined ? {} : { description }),
    ...(secretType === undefined ? {} : { secretType }),
    ...(tags === undefined ? {} : { tags: [...tags] }),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.getTime() }),
  };
}

function infoOf(node: StoredNode): SecretInfo {
  const secret = node.attributes as Secret;
  return {
    name: node.key,
    description: secret.description ?? null,
    secretType: secret.secretType ?? null,
    tags: secret.tags ?? [],
    expiresAt: dateOf(secret.expiresAt),
    rotatedAt: dateOf(secret.rotatedAt),
    keyVersion: secret.value.keyVersion,
    updatedAt: node.updatedAt,
  };
}

function dateOf(ms: number | undefined): Date | null {
  return ms === undefined ? null : new Date(ms);
}
