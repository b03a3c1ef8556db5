import { setImmediate } from "node:timers/promises";
import type { TenantDatabase } from "../client.ts";
import type { Page } from "../graph-store/rows.ts";
import type { CrossTenantContext } from "./context.ts";
import { forgetIncoming, listIncoming } from "./incoming.ts";
import { forgetOutgoing, listOutgoing } from "./outgoing.ts";
import { reconcileIncoming } from "./reconcile-incoming.ts";
import { reconcileOutgoing } from "./reconcile-outgoing.ts";
import type { ReconciledDelegation } from "./reconciled.ts";

/** What {@link reconcile} works with. */
export interface ReconcileSource {
  readonly tenant: TenantDatabase;
  readonly orgId: string;
  readonly signal?: AbortSignal | undefined;
}

/** Ended delegations are kept for 90 days. */
const KEEP_MS = 90 * 86_400_000;
const OPEN_STATES = ["pending", "applied", "revoking"] as const;

/** Compares both sides of all delegations of an organisation that have not ended, and settles what differs. */
export async function reconcile(
  context: CrossTenantContext,
  { tenant, orgId, signal }: ReconcileSource,
): Promise<ReconciledDelegation[]> {
  const client = tenant.$client;
  const found: ReconciledDelegation[] = [];
  const outgoing = (cursor: string | null) => listOutgoing(client, { states: OPEN_STATES, cursor });
  for await (const { id } of eachOf(outgoing, signal)) {
    const one = reconcileOutgoing(context, tenant, id);
    if (one !== null) found.push(one);
  }
  const incoming = (cursor: string | null) => listIncoming(client, { cursor });
  for await (const key of eachOf(incoming, signal)) {
    const one = reconcileIncoming(context, { tenant, orgId }, key);
    if (one !== null) found.push(one);
  }
  const untilMs = context.clock.now() - KEEP_MS;
  forgetOutgoing(client, untilMs);
  forgetIncoming(client, untilMs);
  return found;
}

/** Items of a list, page by page; between two of them others have their turn. */
async function* eachOf<Item>(
  list: (cursor: string | null) => Page<Item>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Item, void, undefined> {
  for (let cursor: string | null = null; ; ) {
    const page: Page<Item> = list(cursor);
    for (const item of page.items) {
      signal?.throwIfAborted();
      yield item;
      await setImmediate();
    }
    cursor = page.cursor;
    if (cursor === null) return;
  }
}
