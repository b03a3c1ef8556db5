import type { Database } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { TenantDatabase } from "../client.ts";
import type { Graph } from "../graph-store/graph.ts";
import { createGraphStore, type GraphStore } from "../graph-store/graph-store.ts";
import { type SerializedGraph, toGraphology } from "../graph-store/graphology.ts";
import type { PageOptions } from "../graph-store/paging.ts";
import { requireWhole } from "../graph-store/reachable.ts";
import { NODE_COLUMNS, nodeOf, type Page } from "../graph-store/rows.ts";
import { CALL_STATUSES, type Call, type CallStatus, callOf } from "./call.ts";
import { readProjection } from "./projection-state.ts";

/** Options of `descendants`. */
export interface DescendantsOptions {
  /** Most calls between it and the farthest. Default any number. */
  readonly depth?: number;
  /** Most calls, the nearest first. Default 10,000. */
  readonly limit?: number;
}

/** Options of `failures`. */
export interface FailuresOptions extends PageOptions {
  /** Only those that failed at this time or later. Default all. */
  readonly since?: Date;
}

/** Questions to a projected call graph. Before anything was projected all answers are empty. */
export interface CallQueries {
  /** The graph, for other questions; null before the first event. Write to it by the projection alone. */
  graph(): Graph | null;
  /** A call, or null. */
  get(requestId: string): Call | null;
  /** Calls that no call made, the newest first. */
  roots(page?: PageOptions): Page<Call>;
  /** Calls that a call made, by request id. */
  children(requestId: string, page?: PageOptions): Page<Call>;
  /** The call that made this one, the one that made that, and so on up to the root. */
  lineage(requestId: string): readonly Call[];
  /** Calls that a call made, those that they made, and so on, the nearest first. */
  descendants(
    requestId: string,
    options?: DescendantsOptions,
  ): { readonly calls: readonly Call[]; readonly complete: boolean };
  /** Calls whose results a call used, by request id. */
  dependencies(requestId: string, page?: PageOptions): Page<Call>;
  /** Failed calls, the last to fail first. */
  failures(options?: FailuresOptions): Page<Call>;
  /** Calls that took longest from request to end; at most `limit`, default 20. */
  slowest(options?: { readonly limit?: number }): readonly Call[];
  /** Milliseconds from request to end; null where it has not ended, or there is no such call. */
  duration(requestId: string): number | null;
  /** How many calls there are of each status. */
  statusCounts(): Readonly<Record<CallStatus, number>>;
  /** The whole graph for graphology's `import()`; null before the first event. */
  toGraphology(): SerializedGraph | null;
}

const MOST_SLOWEST = 1_000;

/** As the index that `declareIndex` makes of `status` has it, so that no row is looked at. */
const STATUS_COUNTS = `SELECT json_extract(attributes, '$."status"'), count(*) FROM nodes
  WHERE graph_id = ? AND json_extract(metadata, '$._metagraph.nodeType') = 'call' GROUP BY 1`;
const SLOWEST = `SELECT ${NODE_COLUMNS} FROM nodes INDEXED BY alk_call_duration
  WHERE graph_id = ? AND json_extract(metadata, '$._metagraph.nodeType') = 'call'
    AND json_extract(metadata, '$.durationMs') IS NOT NULL
  ORDER BY json_extract(metadata, '$.durationMs') DESC, key DESC LIMIT ?`;

/**
 * Questions to the call graph of that name, for processes that do not project it.
 *
 * @example
 * ```ts
 * const calls = createCallQueries(tenant);
 * for (const call of calls.failures({ since: yesterday }).items) console.log(call.error?.message);
 * ```
 */
export function createCallQueries(
  tenant: TenantDatabase,
  { graphName = "calls" }: { readonly graphName?: string } = {},
): CallQueries {
  return new Queries(tenant.$client, createGraphStore(tenant), graphName);
}

const NOTHING = { items: [], cursor: null } as const;

class Queries implements CallQueries {
  readonly #client: Database;
  readonly #store: GraphStore;
  readonly #graphName: string;

  constructor(client: Database, store: GraphStore, graphName: string) {
    this.#client = client;
    this.#store = store;
    this.#graphName = graphName;
  }

  graph(): Graph | null {
    const state = readProjection(this.#client, this.#graphName);
    if (state === null || this.#store.getGraph(state.graphId) === null) return null;
    return this.#store.graph(state.graphId);
  }

  get(requestId: string): Call | null {
    const node = this.graph()?.getNode(requestId) ?? null;
    return node === null ? null : callOf(node);
  }

  roots(page: PageOptions = {}): Page<Call> {
    return this.#list((graph) =>
      graph.listNodes({
        ...page,
        type: "call",
        where: { parentRequestId: { exists: false } },
        orderBy: { attribute: "startedAt", direction: "desc" },
      }),
    );
  }

  children(requestId: string, page: PageOptions = {}): Page<Call> {
    const out = { direction: "out", edgeType: "triggered" } as const;
    return this.#list((graph) => graph.neighbours(requestId, { ...page, ...out }));
  }

  lineage(requestId: string): readonly Call[] {
    return this.#reach(requestId, { direction: "in" }).calls;
  }

  descendants(requestId: string, options: DescendantsOptions = {}) {
    return this.#reach(requestId, { ...options, direction: "out" });
  }

  dependencies(requestId: string, page: PageOptions = {}): Page<Call> {
    const out = { direction: "out", edgeType: "depends_on" } as const;
    return this.#list((graph) => graph.neighbours(requestId, { ...page, ...out }));
  }

  failures({ since, ...page }: FailuresOptions = {}): Page<Call> {
    if (since !== undefined && Number.isNaN(Number(since))) {
      throw new StorageError("INVALID_ARGUMENT", "since is not a valid date");
    }
    const after = since === undefined ? {} : { completedAt: { gte: since.toISOString() } };
    return this.#list((graph) =>
      graph.listNodes({
        ...page,
        type: "call",
        where: { status: "failed", ...after },
        orderBy: { attribute: "completedAt", direction: "desc" },
      }),
    );
  }

  slowest({ limit = 20 }: { readonly limit?: number } = {}): readonly Call[] {
    requireWhole("limit", limit, [1, MOST_SLOWEST]);
    const graph = this.graph();
    if (graph === null) return [];
    const rows = this.#client.prepare(SLOWEST).rows([graph.id, limit]);
    return rows.map((row) => callOf(nodeOf(row)));
  }

  duration(requestId: string): number | null {
    return this.get(requestId)?.durationMs ?? null;
  }

  statusCounts(): Readonly<Record<CallStatus, number>> {
    const graph = this.graph();
    const rows = graph === null ? [] : this.#client.prepare(STATUS_COUNTS).rows([graph.id]);
    const counts = new Map(rows.map(([status, count]) => [status, count as number]));
    const entries = CALL_STATUSES.map((status) => [status, counts.get(status) ?? 0] as const);
    return Object.fromEntries(entries) as Record<CallStatus, number>;
  }

  toGraphology(): SerializedGraph | null {
    const graph = this.graph();
    return graph === null ? null : toGraphology(graph);
  }

  #list(read: (graph: Graph) => ReturnType<Graph["listNodes"]>): Page<Call> {
    const graph = this.graph();
    if (graph === null) return NOTHING;
    const { items, cursor } = read(graph);
    return { items: items.map(callOf), cursor };
  }

  #reach(
    requestId: string,
    options: DescendantsOptions & { readonly direction: "in" | "out" },
  ): { readonly calls: readonly Call[]; readonly complete: boolean } {
    const graph = this.graph();
    if (graph === null) return { calls: [], complete: true };
    return graph.read(() => {
      const reach = graph.reachable([requestId], { ...options, edgeType: "triggered" });
      const keys = [...reach.depths.keys()].filter((key) => key !== requestId);
      const calls = graph.getNodes(keys).flatMap((node) => (node === null ? [] : callOf(node)));
      return { calls, complete: reach.complete };
    });
  }
}
