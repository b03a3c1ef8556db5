import type { Database, Transaction } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { type EncryptedData, type KeyRing, replaceValues } from "../../graphs/index.ts";
import { UpdatedRows } from "../updated-rows.ts";
import {
  type EncryptedRow,
  EncryptedTypes,
  type RowCursor,
  readEncrypted,
  requireNoMigration,
} from "./encrypted-rows.ts";
import { requireNotRetired } from "./key-versions.ts";

/** A value that could not be encrypted again; it is as it was. */
export interface RotationFailure {
  readonly of: "node" | "edge";
  readonly id: string;
  readonly graphId: string;
  readonly key: string;
  /** Where in the attributes, as a JSON pointer. */
  readonly path: string;
  /** `DECRYPTION_FAILED`, `UNKNOWN_KEY_VERSION` or `INVALID_ENCRYPTED_DATA`. */
  readonly code: string;
}

/** Rows that were encrypted again in memory. */
export interface RotationBatch {
  readonly writes: readonly { readonly row: EncryptedRow; readonly values: Values }[];
  readonly failures: readonly RotationFailure[];
  readonly keyVersion: number;
  /** Where the next batch begins; null after the last. */
  readonly next: RowCursor | null;
}

/** What {@link prepareRotation} is told. */
export interface PrepareOptions {
  readonly after: RowCursor | null;
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
}

type Values = ReadonlyMap<string, EncryptedData>;

/** Derivations at a time: Node has four threads for them, and other work needs some too. */
const AT_A_TIME = 4;

/**
 * Encrypts the stale values of the next rows again, in memory; nothing is locked meanwhile.
 *
 * @throws StorageError `MIGRATION_STATE`
 */
export async function prepareRotation(
  client: Database,
  ring: KeyRing,
  { after, limit, signal }: PrepareOptions,
): Promise<RotationBatch> {
  requireNoMigration(client);
  const keyVersion = ring.currentVersion;
  const { rows, next } = readEncrypted(client, new EncryptedTypes(client), { after, limit });
  const failures: RotationFailure[] = [];
  const writes: { row: EncryptedRow; values: Values }[] = [];
  for (let from = 0; from < rows.length; from += AT_A_TIME) {
    signal?.throwIfAborted();
    const some = rows.slice(from, from + AT_A_TIME);
    const renewed = await Promise.all(some.map((row) => renew(ring, row, failures)));
    for (const [i, row] of some.entries()) {
      const values = renewed[i];
      if (values !== undefined && values.size > 0) writes.push({ row, values });
    }
  }
  return { writes, failures, keyVersion, next };
}

async function renew(
  ring: KeyRing,
  row: EncryptedRow,
  failures: RotationFailure[],
): Promise<Values> {
  const values = new Map<string, EncryptedData>();
  for (const { path, value } of row.values) {
    try {
      const renewed = await ring.reencrypt(value as EncryptedData);
      if (renewed !== value) values.set(path, renewed);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      const { of, id, graphId, key } = row;
      failures.push({ of, id, graphId, key, path, code: error.code });
    }
  }
  return values;
}

const SET = `SET attributes = ?, metadata = json_set(metadata, '$._metagraph.revision',
    coalesce(json_extract(metadata, '$._metagraph.revision'), 1) + 1), updated_at = unixepoch()
  WHERE id = ? AND attributes = ?`;
const UPDATE = { node: `UPDATE nodes ${SET}`, edge: `UPDATE edges ${SET}` };

/**
 * Writes a batch in the open transaction, with its events. A row that somebody wrote since it was read
 * keeps what they wrote.
 *
 * @returns how many values were written, and how many rows were left to others
 * @throws StorageError `UNKNOWN_KEY_VERSION` where the ring's current key was retired meanwhile
 */
export function writeRotation(
  client: Database,
  tx: Transaction,
  { batch, nowMs }: { readonly batch: RotationBatch; readonly nowMs: number },
): { readonly rotated: number; readonly overtaken: number } {
  if (batch.writes.length > 0) requireNotRetired(tx, batch.keyVersion);
  const updated = new UpdatedRows();
  let [rotated, overtaken] = [0, 0];
  for (const { row, values } of batch.writes) {
    const attributes = JSON.stringify(renewedAttributes(row, values, nowMs));
    const { changes } = client.prepare(UPDATE[row.of]).run([attributes, row.id, row.text]);
    if (changes === 0) {
      overtaken += 1;
      continue;
    }
    rotated += values.size;
    updated.add(row);
  }
  updated.notify(client);
  return { rotated, overtaken };
}

/** Secrets tell when they were encrypted with a newer key. */
function renewedAttributes(row: EncryptedRow, values: Values, nowMs: number): unknown {
  const attributes = replaceValues(row.attributes, values);
  const isSecret = row.of === "node" && row.graphType === "secret_graph" && row.type === "secret";
  return isSecret ? { ...(attributes as object), rotatedAt: nowMs } : attributes;
}
