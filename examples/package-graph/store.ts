import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Database, open, type Queue, type Stream } from "@alkdev/honker";
import {
  createGraphStore,
  createSystemDatabase,
  createTenantDatabase,
  type GraphStore,
  type TenantDatabase,
} from "@alkdev/storage/sqlite";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { graphModules } from "./graph-type.ts";
import { type BatchEvent, JOBS, type PackageJob, STREAM } from "./names.ts";

/**
 * What the projector builds from the stream. No column is unique, so that an event projected twice
 * would be seen by the self-check instead of refused.
 */
export const projectedBatches = sqliteTable("package_graph_batches", {
  eventOffset: integer("event_offset").notNull(),
  graphId: text("graph_id").notNull(),
  batch: integer("batch").notNull(),
  nodes: integer("nodes").notNull(),
  edges: integer("edges").notNull(),
});

const CREATE_PROJECTED_BATCHES = `CREATE TABLE IF NOT EXISTS package_graph_batches (
  event_offset INTEGER NOT NULL, graph_id TEXT NOT NULL, batch INTEGER NOT NULL,
  nodes INTEGER NOT NULL, edges INTEGER NOT NULL)`;

/** The tenant's file: data, jobs and events, all in one. */
export interface Store {
  readonly client: Database;
  readonly db: TenantDatabase;
  readonly graphs: GraphStore;
  readonly jobs: Queue<PackageJob>;
  readonly events: Stream<BatchEvent>;
}

/** Opens the tenant's file in `folder`, creating what is missing. */
export function openStore(folder: string): Store {
  mkdirSync(folder, { recursive: true });
  const client = open(join(folder, "tenant-demo.db"));
  const db = createTenantDatabase(client, { systemModules: graphModules });
  client.execute(CREATE_PROJECTED_BATCHES);
  const jobs = client.queue<PackageJob>(JOBS, {
    // a killed worker's jobs are claimed again after this; a job takes a millisecond
    visibilityTimeoutSeconds: 2,
    // being killed is not the job's fault
    maxAttempts: 100,
  });
  const events = client.stream<BatchEvent>(STREAM);
  return { client, db, graphs: createGraphStore(db), jobs, events };
}

/** Makes sure that `folder` has a `system.db` with the same graph types. */
export function provideSystem(folder: string): void {
  mkdirSync(folder, { recursive: true });
  using client = open(join(folder, "system.db"));
  createSystemDatabase(client, { systemModules: graphModules });
}
