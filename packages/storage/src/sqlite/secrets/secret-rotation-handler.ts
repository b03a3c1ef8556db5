import type { Job, JobContext } from "@alkdev/honker";
import { openCatalogQueue, type PayloadOf, tenantCatalog } from "../../catalog/index.ts";
import { StorageError } from "../../errors.ts";
import type { KeyRing } from "../../graphs/index.ts";
import type { TenantDatabase } from "../client.ts";
import type { RowCursor } from "./encrypted-rows.ts";
import { prepareRotation, type RotationFailure, writeRotation } from "./rotation-batch.ts";

/** Payload of the queue `secret-rotation`. */
export type SecretRotation = PayloadOf<typeof tenantCatalog.queues, "secret-rotation">;

/** Result of a job of the queue `secret-rotation`, for `waitResult`. */
export interface SecretRotationResult {
  /** Values that this job encrypted again. */
  readonly rotated: number;
  readonly failures: readonly RotationFailure[];
  /** The job that goes on; null where this was the last. */
  readonly nextJobId: number | null;
}

/**
 * A handler for the queue `secret-rotation`. Each job encrypts one batch again; what it writes, its end and
 * the job of the next batch are one commit, so a killed worker loses nothing and repeats nothing. The last
 * one has `nextJobId` null; then {@link retireKey} removes the old key.
 *
 * A worker whose ring has not got the key yet leaves the job to others and later.
 *
 * @example
 * ```ts
 * const queue = openCatalogQueue({ db: tenant.$client, entries: tenantCatalog.queues }, "secret-rotation");
 * queue.enqueue({ toKeyVersion: 2, batchSize: 100 });
 * const worker = queue.work(createSecretRotationHandler(tenant, ring));
 * ```
 */
export function createSecretRotationHandler(
  tenant: TenantDatabase,
  ring: KeyRing,
): (job: Job<SecretRotation>, context: JobContext) => Promise<void> {
  const client = tenant.$client;
  const queue = openCatalogQueue({ db: client, entries: tenantCatalog.queues }, "secret-rotation");
  return async ({ payload, priority }, { signal, progress, complete }) => {
    const { toKeyVersion, batchSize } = payload;
    requireKey(ring, toKeyVersion);
    const after = cursorOf(payload);
    const batch = await prepareRotation(client, ring, { after, limit: batchSize, signal });
    progress({ prepared: batch.writes.length, failed: batch.failures.length });
    complete((tx): SecretRotationResult => {
      const { rotated } = writeRotation(client, tx, { batch, nowMs: Date.now() });
      const { failures, next } = batch;
      const following = { toKeyVersion, batchSize, ...payloadOf(next) };
      const nextJobId = next === null ? null : queue.enqueueTx(tx, following, { priority });
      return { rotated, failures, nextJobId };
    });
  };
}

function requireKey(ring: KeyRing, version: number): void {
  if (ring.currentVersion >= version) return;
  throw new StorageError(
    "UNKNOWN_KEY_VERSION",
    `the ring's current key version is ${ring.currentVersion}, and the job wants ${version}`,
    { hint: "Load the newer key", details: { version, current: ring.currentVersion } },
  );
}

function cursorOf({ afterNodeId, afterEdgeId }: SecretRotation): RowCursor | null {
  if (afterEdgeId !== undefined) return { of: "edge", id: afterEdgeId };
  return afterNodeId === undefined ? null : { of: "node", id: afterNodeId };
}

function payloadOf(
  next: RowCursor | null,
): Pick<SecretRotation, "afterNodeId"> | Pick<SecretRotation, "afterEdgeId"> {
  if (next === null) return {};
  return next.of === "node" ? { afterNodeId: next.id } : { afterEdgeId: next.id };
}
