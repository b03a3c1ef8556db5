import { randomUUID } from "node:crypto";
import type { Clock, Database, PreparedSql, Queue } from "@alkdev/honker";
import { openCatalogQueue, type PayloadOf, tenantCatalog } from "../../catalog/index.ts";
import { StorageError } from "../../errors.ts";
import { AclGraph, type AclPrincipal, type PrincipalKey } from "../../graphs/index.ts";
import type { TenantDatabase } from "../client.ts";
import type { Graph } from "../graph-store/graph.ts";
import { createGraphStore, type GraphStore } from "../graph-store/graph-store.ts";
import { edgeName } from "../graph-store/rows.ts";
import { nameUuid } from "../name-uuid.ts";
import { ACL_GRAPH_ID } from "../tables/metagraph/acl-edges.ts";
import { principalOf } from "./acl-rows.ts";

/** Payload of the `acl-evaluation` queue: keys of principals. */
export type AclEvaluation = PayloadOf<typeof tenantCatalog.queues, "acl-evaluation">;

/**
 * Random rather than counted: a number that was rolled back comes again with other content, and an
 * identity remembered inside that transaction would pass for a current one.
 */
const TOKEN = "SELECT value FROM _alk_storage_state WHERE key = 'acl_token'";
const SET_TOKEN = `INSERT INTO _alk_storage_state (key, value) VALUES ('acl_token', ?)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value`;

/** What the parts of an ACL share: the file, its ACL graph, and how a change of it is told. */
export class AclContext {
  readonly client: Database;
  readonly #clock: Clock;
  readonly #store: GraphStore;
  readonly #evaluations: Queue<AclEvaluation>;
  readonly #token: PreparedSql;

  constructor(tenant: TenantDatabase, clock: Clock) {
    this.client = tenant.$client;
    this.#clock = clock;
    this.#store = createGraphStore(tenant, { clock });
    this.#evaluations = openCatalogQueue(
      { db: this.client, entries: tenantCatalog.queues },
      "acl-evaluation",
    );
    this.#token = this.client.prepare(TOKEN);
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#clock.now();
  }

  /** Another text after every change of the ACL by whatever process; null before the first. */
  token(): string | null {
    return (this.#token.row()?.[0] as string | undefined) ?? null;
  }

  /** The ACL graph, or null before the first write. */
  graph(): Graph | null {
    return this.#store.getGraph(ACL_GRAPH_ID) === null ? null : this.#store.graph(ACL_GRAPH_ID);
  }

  /** A principal as it is stored, or null. */
  principal(key: PrincipalKey): AclPrincipal | null {
    const node = this.graph()?.getNode(key) ?? null;
    return node === null || node.type !== "principal" ? null : principalOf(key, node.attributes);
  }

  /** A principal as it is stored. @throws StorageError `NOT_FOUND` */
  requirePrincipal(key: PrincipalKey): AclPrincipal {
    const principal = this.principal(key);
    if (principal !== null) return principal;
    throw new StorageError("NOT_FOUND", `there is no principal "${key}"`, {
      hint: "Write it with putPrincipal first",
      details: { principal: key },
    });
  }

  /**
   * Runs `work` on the ACL graph in one transaction, or in the open one. Those whose grants it says it
   * changed are told in the same commit: cached identities end, `acl:delegation_changed` is sent and
   * the evaluation is enqueued.
   */
  write<T>(work: (graph: Graph, changes: AclChanges) => T): T {
    let result: T | undefined;
    this.client.transaction(() => {
      const changes = new AclChanges();
      result = work(this.graph() ?? this.#createGraph(), changes);
      this.#publish(changes);
    });
    return result as T;
  }

  /** Deletes the edge of one type between two nodes. False, without a trace, where there is none. */
  remove(
    edge: { readonly type: string; readonly source: string; readonly target: string },
    tell: (changes: AclChanges) => void,
  ): boolean {
    if (this.graph() === null) return false;
    return this.write((graph, changes) => {
      const names = graph.listEdges(edge).items.map(edgeName);
      if (graph.deleteEdges(names) === 0) return false;
      tell(changes);
      return true;
    });
  }

  #createGraph(): Graph {
    this.#store.createGraph({
      id: ACL_GRAPH_ID,
      type: AclGraph.name,
      name: "acl",
      description: "Who may do what in this organisation",
      status: "active",
    });
    return this.#store.graph(ACL_GRAPH_ID);
  }

  #publish(changes: AclChanges): void {
    if (changes.list.length === 0) return;
    this.client.prepare(SET_TOKEN).run([randomUUID()]);
    for (const change of changes.list) {
      this.client.notify("acl:delegation_changed", change);
      const key = nameUuid(`${change.principalId}\0${change.agentId}`);
      // a running evaluation may have read what was there before
      this.#evaluations.enqueue(change, { unique: { key, scope: "pending" } });
    }
  }
}

/** Whose grants a write changed. */
class AclChanges {
  readonly list: { readonly principalId: PrincipalKey; readonly agentId: PrincipalKey }[] = [];

  /** What `principal` gives `agent` changed; alone, what it holds of its own. */
  add(principal: PrincipalKey, agent: PrincipalKey = principal): void {
    this.list.push({ principalId: principal, agentId: agent });
  }
}
