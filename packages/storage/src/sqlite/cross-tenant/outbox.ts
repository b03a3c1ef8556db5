import type { TenantDatabase } from "../client.ts";
import type { CrossTenantContext } from "./context.ts";
import { moveOutgoing } from "./outgoing.ts";

/** A message: which delegation to bring to where its state says it should be. */
export interface DelegationMessage {
  readonly id: string;
}

/** Name of the queue behind the outbox in the delegating file. */
export const DELEGATION_OUTBOX = "_outbox:cross-tenant";
/** The most attempts that a queue takes. */
const WITHOUT_END = 2_147_483_647;

/**
 * Enqueues a delivery in the open transaction of the delegating file. An application is given up at some
 * time; a revocation never is, and does not wait behind applications.
 */
export function enqueueDelivery(
  { maxAttempts, backoff }: CrossTenantContext,
  { $client: client }: TenantDatabase,
  { id, state }: { readonly id: string; readonly state: "pending" | "revoking" },
): void {
  const ends = state === "revoking";
  client.queue<DelegationMessage>(DELEGATION_OUTBOX).enqueue(
    { id },
    {
      // one that runs, or was killed, may have read the state before: it does not count
      unique: { key: `${state}:${id}`, scope: "pending" },
      maxAttempts: ends ? WITHOUT_END : maxAttempts,
      priority: ends ? 1 : 0,
      backoff,
    },
  );
}

/**
 * Notes in the delegating file that a delegation shall end, and sends the message that ends it, in one
 * commit. False where it is ending or has ended.
 *
 * @param end `reason`: null where its owner wants it
 */
export function beginRevocation(
  context: CrossTenantContext,
  tenant: TenantDatabase,
  { id, reason }: { readonly id: string; readonly reason: string | null },
): boolean {
  const client = tenant.$client;
  return client.transaction((): boolean => {
    const nowMs = context.clock.now();
    const from = ["pending", "applied"] as const;
    if (!moveOutgoing(client, id, { from, to: "revoking", reason, nowMs })) return false;
    enqueueDelivery(context, tenant, { id, state: "revoking" });
    return true;
  });
}
