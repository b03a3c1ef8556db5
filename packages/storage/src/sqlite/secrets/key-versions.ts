import type { Database, Transaction } from "@alkdev/honker";
import { Value } from "@sinclair/typebox/value";
import { StorageError } from "../../errors.ts";
import { EncryptedDataSchema, type KeyRing } from "../../graphs/index.ts";
import type { TenantDatabase } from "../client.ts";
import { allEncrypted, EncryptedTypes, requireNoMigration } from "./encrypted-rows.ts";

const IS_RETIRED = "SELECT 1 FROM _alk_storage_state WHERE key = ?";
const RETIRE = "INSERT OR IGNORE INTO _alk_storage_state (key, value) VALUES (?, '')";

/**
 * How many encrypted values of each key version a file holds, ascending: those of every node and edge
 * type whose stored schema has encrypted data in it, secrets and others.
 *
 * @throws StorageError `INVALID_ENCRYPTED_DATA` naming a value that cannot be read: it must not let a key
 *   go; `MIGRATION_STATE` while a graph type is being migrated
 */
export function countKeyVersions({ $client: client }: TenantDatabase): ReadonlyMap<number, number> {
  requireNoMigration(client);
  const counts = new Map<number, number>();
  for (const row of allEncrypted(client, new EncryptedTypes(client))) {
    for (const { path, value } of row.values) {
      if (!Value.Check(EncryptedDataSchema, value)) {
        throw new StorageError(
          "INVALID_ENCRYPTED_DATA",
          `${row.of} "${row.key}" of graph "${row.graphId}" holds malformed encrypted data at ${path}`,
          {
            hint: "Write it anew, or remove it",
            details: { graphId: row.graphId, of: row.of, id: row.id, path },
          },
        );
      }
      counts.set(value.keyVersion, (counts.get(value.keyVersion) ?? 0) + 1);
    }
  }
  return new Map([...counts].sort(([a], [b]) => a - b));
}

/**
 * Removes a key from the ring for good, if no value of the file needs it. Counting and the mark that this
 * version may not be written any more are one transaction, so that a process that still has an older ring
 * cannot bring it back: its writes through a secret store are refused.
 *
 * @throws StorageError `KEY_IN_USE` with the number of values that need it, or for the current key;
 *   `UNKNOWN_KEY_VERSION`; as {@link countKeyVersions}
 * @example
 * ```ts
 * ring.add(2, await keys.load(2));
 * await rotateSecrets(tenant, ring);
 * retireKey(tenant, ring, 1);
 * ```
 */
export function retireKey(tenant: TenantDatabase, ring: KeyRing, version: number): void {
  tenant.$client.transaction((tx) => {
    const remaining = countKeyVersions(tenant).get(version) ?? 0;
    tx.execute(RETIRE, [stateKey(version)]);
    // last, so that a failed statement leaves the ring as it is
    ring.remove(version, remaining);
  });
}

/**
 * Asked in the transaction that writes a value.
 *
 * @throws StorageError `UNKNOWN_KEY_VERSION` where the version was retired
 */
export function requireNotRetired(client: Database | Transaction, version: number): void {
  if (client.rows(IS_RETIRED, [stateKey(version)]).length === 0) return;
  throw new StorageError("UNKNOWN_KEY_VERSION", `key version ${version} was retired`, {
    hint: "Load the newer keys",
    details: { version },
  });
}

function stateKey(version: number): string {
  return `retired_key:${version}`;
}
