// The same rows with better-sqlite3 alone: prepared statements, no checks, no events.

import type { EdgeInput, NodeInput } from "@alkdev/storage/sqlite";
import { uuidV7 } from "@alkdev/storage/sqlite";
import Database from "better-sqlite3";
import { GRAPH_ID } from "./model.ts";

const PRAGMAS = [
  "journal_mode = WAL",
  "synchronous = NORMAL",
  "foreign_keys = ON",
  "cache_size = -16384",
  "temp_store = MEMORY",
  "wal_autocheckpoint = 4000",
];
const NODE = `INSERT INTO nodes (id, graph_id, key, metadata, attributes, created_at, updated_at)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;
const EDGE = `INSERT INTO edges (id, graph_id, key, source_node_key, target_node_key, undirected,
  metadata, attributes, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const NODE_METADATA = '{"_metagraph":{"nodeType":"task"}}';
const EDGE_METADATA = '{"_metagraph":{"edgeType":"waits_for"}}';
const TASKS = `json_extract(metadata, '$._metagraph.nodeType') = 'task'`;

export function openRaw(path: string): Database.Database {
  const db = new Database(path);
  for (const pragma of PRAGMAS) db.pragma(pragma);
  return db;
}

export function insertRaw(db: Database.Database, nodes: NodeInput[], edges: EdgeInput[]): void {
  const now = Math.floor(Date.now() / 1_000);
  const node = db.prepare(NODE);
  const edge = db.prepare(EDGE);
  db.transaction(() => {
    for (const { key, attributes } of nodes) {
      node.run(uuidV7(), GRAPH_ID, key, NODE_METADATA, JSON.stringify(attributes), now, now);
    }
  }).immediate();
  db.transaction(() => {
    for (const { source, target, attributes } of edges) {
      const values = [null, source, target, 0, EDGE_METADATA, JSON.stringify(attributes)];
      edge.run(uuidV7(), GRAPH_ID, ...values, now, now);
    }
  }).immediate();
}

/** What a user would write by hand, attributes parsed. */
export function rawQueries(db: Database.Database) {
  const neighbours = db
    .prepare(
      `SELECT n.key, n.attributes FROM edges e CROSS JOIN nodes n
        ON n.graph_id = e.graph_id AND n.key = e.target_node_key
      WHERE e.graph_id = ? AND e.source_node_key = ? ORDER BY n.key LIMIT 100`,
    )
    .raw();
  const equal = db
    .prepare(
      `SELECT key, attributes FROM nodes WHERE graph_id = ? AND ${TASKS}
        AND json_extract(attributes, '$."rank"') = ? ORDER BY key LIMIT 100`,
    )
    .raw();
  const range = db
    .prepare(
      `SELECT key, attributes FROM nodes WHERE graph_id = ? AND ${TASKS}
        AND json_extract(attributes, '$."rank"') > ?
      ORDER BY json_extract(attributes, '$."rank"'), key LIMIT 100`,
    )
    .raw();
  const parsed = (rows: unknown[]) =>
    rows.map((row) => {
      const [key, attributes] = row as [string, string];
      return { key, attributes: JSON.parse(attributes) as unknown };
    });
  return {
    neighbours: (key: string) => parsed(neighbours.all(GRAPH_ID, key)).length,
    equal: (rank: number) => parsed(equal.all(GRAPH_ID, rank)).length,
    range: (rank: number) => parsed(range.all(GRAPH_ID, rank)).length,
  };
}
