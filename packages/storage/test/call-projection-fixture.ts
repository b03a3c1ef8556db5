import type { Database, Stream } from "@alkdev/honker";
import { openCatalogStream, type PayloadOf, tenantCatalog } from "@alkdev/storage/catalog";
import {
  type CallProjection,
  type CallProjectionOptions,
  createCallProjection,
  createTenantDatabase,
  type TenantDatabase,
} from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { onTestFinished } from "vitest";

/** An event of a call, as the catalog has it. */
export type CallEvent = PayloadOf<typeof tenantCatalog.streams, "call-protocol">;

export interface Calls {
  readonly client: Database;
  readonly db: TenantDatabase;
  readonly stream: Stream<CallEvent>;
  readonly projection: CallProjection;
  /** Another projection of the file; stopped when the test ends. */
  project(options?: Partial<CallProjectionOptions>): CallProjection;
  publish(...events: readonly CallEvent[]): void;
}

/** A tenant's file and a projection of it. */
export function callsFixture(
  options: Partial<CallProjectionOptions> = {},
  client: Database = tempDatabase(),
): Calls {
  const db = createTenantDatabase(client);
  const stream = openCatalogStream({ db: client, entries: tenantCatalog.streams }, "call-protocol");
  const project = (more: Partial<CallProjectionOptions> = {}): CallProjection => {
    const projection = createCallProjection(db, { consumer: "hub:a:calls", ...options, ...more });
    onTestFinished(() => projection.stop());
    return projection;
  };
  return {
    client,
    db,
    stream,
    projection: project(),
    project,
    publish: (...events) => void stream.publishMany(events),
  };
}

export function requested(
  requestId: string,
  more: Partial<Extract<CallEvent, { type: "call.requested" }>> = {},
): CallEvent {
  return { type: "call.requested", requestId, operationId: "fs.read", ...more };
}

export const responded = (requestId: string, output: unknown = "ok"): CallEvent => ({
  type: "call.responded",
  requestId,
  output,
});
export const completed = (requestId: string): CallEvent => ({ type: "call.completed", requestId });
export const aborted = (requestId: string): CallEvent => ({ type: "call.aborted", requestId });
export const failed = (requestId: string, code = "NOT_FOUND"): CallEvent => ({
  type: "call.error",
  requestId,
  code,
  message: `${code} happened`,
});

/** What is visible of a graph: nodes by key and edges, without ids and times of rows. */
export function contentOf({ calls }: CallProjection): unknown {
  const graph = calls.graph();
  if (graph === null) return null;
  return {
    nodes: [...graph.eachNode()].map(({ key, type, attributes, metadata }) => {
      return { key, type, attributes, metadata };
    }),
    edges: [...graph.eachEdge()]
      .map(({ type, source, target }) => `${source} ${type} ${target}`)
      .sort(),
  };
}
