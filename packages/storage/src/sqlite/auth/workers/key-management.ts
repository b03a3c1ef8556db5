import { setImmediate } from "node:timers/promises";
import type { Job, JobContext } from "@alkdev/honker";
import type { PayloadOf, systemCatalog } from "../../../catalog/index.ts";
import { StorageError } from "../../../errors.ts";
import type { SystemDatabase } from "../../client.ts";
import { newApiKey } from "../api-key-format.ts";
import { requireApiKey } from "../api-keys.ts";
import { removeExpiredKeys } from "../remove-expired-keys.ts";
import { replaceApiKey } from "../rotate-api-key.ts";
import { orFail } from "./or-fail.ts";

/** Payload of the queue `key-management`. */
export type KeyManagement = PayloadOf<typeof systemCatalog.queues, "key-management">;

/** A key that takes over from another, on its way to whoever uses it. */
export interface RotatedKey {
  readonly key: string;
  readonly oldKeyId: string;
  readonly ownerId: string;
  readonly name: string | null;
  /** Seconds that the old key stays valid beside it. */
  readonly graceSeconds: number;
}

/**
 * Hands a new key over, to a secret store for instance, before it is valid. It is the only one who sees the
 * key. When the process dies in between it is called again with another key; the last one counts.
 */
export type DeliverKey = (rotated: RotatedKey, signal: AbortSignal) => void | Promise<void>;

const KEYS_AT_ONCE = 500;

/**
 * Handler of the queue `key-management`: rotates a key, or removes those that ended. The last effect and
 * the end of the job are one commit. A job that cannot succeed is a dead letter at once.
 *
 * @param deliver without it, jobs that rotate are dead letters: nobody would have the new key
 */
export function createKeyManagementHandler(
  system: SystemDatabase,
  deliver?: DeliverKey,
): (job: Job<KeyManagement>, context: JobContext) => Promise<void> {
  return async (job, context) => {
    const { payload } = job;
    if (payload.task === "remove-expired-keys") await removeEnded(system, payload, context);
    else await rotate({ system, deliver, job }, payload, context);
  };
}

interface Rotating {
  readonly system: SystemDatabase;
  readonly deliver: DeliverKey | undefined;
  readonly job: Job<KeyManagement>;
}

async function rotate(
  { system, deliver, job }: Rotating,
  { keyId, graceSeconds }: Extract<KeyManagement, { task: "rotate-key" }>,
  { signal, complete }: JobContext,
): Promise<void> {
  let waiting: RotatedKey | undefined;
  const isReady = orFail(job, () => {
    const { rotatedToId, ownerId, name } = requireApiKey(system, keyId);
    if (rotatedToId !== null) complete(() => ({ rotatedToId }));
    else waiting = { key: newApiKey(), oldKeyId: keyId, ownerId, name, graceSeconds };
    if (waiting !== undefined && deliver === undefined) throw nobodyTakes(keyId);
  });
  if (!isReady || waiting === undefined) return;
  const { key } = waiting;
  await deliver?.(waiting, signal);
  signal.throwIfAborted();
  orFail(job, () => {
    complete(() => ({ rotatedToId: replaceApiKey(system, keyId, { graceSeconds, key }) }));
  });
}

function nobodyTakes(keyId: string): StorageError {
  return new StorageError(
    "INVALID_ARGUMENT",
    `nobody takes the key that would replace "${keyId}"`,
    {
      hint: "Give deliverKey to startSystemWorkers",
      details: { keyId },
    },
  );
}

async function removeEnded(
  system: SystemDatabase,
  payload: Exclude<KeyManagement, { task: "rotate-key" }>,
  { signal, progress, complete }: JobContext,
): Promise<void> {
  const before =
    "expiredBefore" in payload
      ? payload.expiredBefore
      : Date.now() - payload.expiredForSeconds * 1_000;
  let removed = 0;
  for (;;) {
    const count = removeExpiredKeys(system, before, KEYS_AT_ONCE);
    removed += count;
    if (count < KEYS_AT_ONCE) break;
    progress({ removed });
    await setImmediate(undefined, { signal });
  }
  complete(() => ({ removed }));
}
