import type { GraphContext } from "./graph-context.ts";

/** Channels whose payload lists keys. */
export type KeysChannel = `${"nodes" | "edges"}:${"created" | "updated" | "deleted"}`;

/** Keys in one notification; more go into several of the same commit. */
const KEYS_PER_EVENT = 1_000;

/** Says in the same commit which nodes or edges were written; nothing for no keys. */
export function notifyKeys(
  graph: GraphContext,
  channel: KeysChannel,
  keys: readonly string[],
): void {
  for (let from = 0; from < keys.length; from += KEYS_PER_EVENT) {
    const part = keys.slice(from, from + KEYS_PER_EVENT);
    graph.store.client.notify(channel, { graphId: graph.id, keys: part });
  }
}
