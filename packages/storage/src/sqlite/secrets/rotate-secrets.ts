import type { KeyRing } from "../../graphs/index.ts";
import type { TenantDatabase } from "../client.ts";
import { requireBatchSize } from "../require-batch-size.ts";
import type { RowCursor } from "./encrypted-rows.ts";
import { countKeyVersions } from "./key-versions.ts";
import { prepareRotation, type RotationFailure, writeRotation } from "./rotation-batch.ts";

/** How far a rotation is. */
export interface RotationProgress {
  /** Values encrypted again. */
  readonly done: number;
  /** Values that had an older key when it began. */
  readonly total: number;
  readonly failed: number;
}

/** Options of {@link rotateSecrets}. */
export interface RotateOptions {
  /** Rows per transaction, default 100, at most 10,000. */
  readonly batchSize?: number;
  /** Ends the work between two values; the next call goes on where it ended. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RotationProgress) => void;
}

/** What {@link rotateSecrets} did. */
export interface Rotation {
  /** Values encrypted again by this call. */
  readonly rotated: number;
  /** Values that could not be, and why; they are as they were. */
  readonly failures: readonly RotationFailure[];
}

/**
 * Encrypts every value of a file that has an older key than the ring's current one again: secrets, and
 * what other graph types hold as encrypted data. Values are encrypted first and written after, batch by
 * batch; a value that somebody writes meanwhile is never replaced by the older one. A rotation that is
 * stopped at any moment starts again and finds less to do.
 *
 * @throws StorageError `INVALID_ARGUMENT`; `MIGRATION_STATE` while a graph type is being migrated;
 *   `INVALID_ENCRYPTED_DATA` for a malformed value
 * @example
 * ```ts
 * ring.add(2, newKey);
 * const { rotated, failures } = await rotateSecrets(tenant, ring);
 * if (failures.length === 0) retireKey(tenant, ring, 1);
 * ```
 */
export async function rotateSecrets(
  tenant: TenantDatabase,
  ring: KeyRing,
  options: RotateOptions = {},
): Promise<Rotation> {
  const { signal, onProgress, batchSize = 100 } = options;
  const limit = requireBatchSize(batchSize);
  const client = tenant.$client;
  const total = staleValues(tenant, ring);
  let [rotated, overtaken] = [0, 0];
  let failures: RotationFailure[] = [];
  do {
    overtaken = 0;
    failures = [];
    let after: RowCursor | null = null;
    do {
      const batch = await prepareRotation(client, ring, { after, limit, signal });
      const nowMs = Date.now();
      const written = client.transaction((tx) => writeRotation(client, tx, { batch, nowMs }));
      rotated += written.rotated;
      overtaken += written.overtaken;
      failures.push(...batch.failures);
      after = batch.next;
      onProgress?.({ done: rotated, total, failed: failures.length });
    } while (after !== null);
    // what overtook us may have been written with an old key as well
  } while (overtaken > 0);
  return { rotated, failures };
}

/** How many values have an older key than the ring's current one. */
function staleValues(tenant: TenantDatabase, ring: KeyRing): number {
  let stale = 0;
  for (const [version, count] of countKeyVersions(tenant)) {
    if (version < ring.currentVersion) stale += count;
  }
  return stale;
}
