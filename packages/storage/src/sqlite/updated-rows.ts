import type { Database } from "@alkdev/honker";

/** Keys in one notification; more go into several of the same commit. */
const KEYS_PER_EVENT = 1_000;

interface Updated {
  readonly of: "node" | "edge";
  readonly graphId: string;
  readonly keys: string[];
}

/** Collects the rows that a transaction changed in many graphs, for their events. */
export class UpdatedRows {
  readonly #graphs = new Map<string, Updated>();

  add({ of, graphId, key }: Pick<Updated, "of" | "graphId"> & { readonly key: string }): void {
    const id = `${of} ${graphId}`;
    let updated = this.#graphs.get(id);
    if (updated === undefined) {
      updated = { of, graphId, keys: [] };
      this.#graphs.set(id, updated);
    }
    updated.keys.push(key);
  }

  /** Says so on `nodes:updated` and `edges:updated`, in the open transaction. */
  notify(client: Database): void {
    for (const { of, graphId, keys } of this.#graphs.values()) {
      for (let from = 0; from < keys.length; from += KEYS_PER_EVENT) {
        client.notify(`${of}s:updated`, { graphId, keys: keys.slice(from, from + KEYS_PER_EVENT) });
      }
    }
  }
}
