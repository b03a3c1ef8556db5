// A graph type of tasks in two versions, and files full of them.
import type { Database } from "@alkdev/honker";
import {
  defineModule,
  edgeAttributes,
  graphConfig,
  type Migration,
  moduleToDbSchema,
  nodeAttributes,
} from "@alkdev/storage/graphs";
import type { TenantDatabase } from "@alkdev/storage/sqlite";
import { type TProperties, Type } from "@sinclair/typebox";

const Config = graphConfig();
export const Count = Type.Integer();

/** Tasks with these attributes, and edges that count too. */
export function taskModule(version: number, task: TProperties, more: TProperties = {}) {
  return defineModule(
    { name: "tasks", version },
    {
      Config,
      TaskNode: nodeAttributes(task),
      WaitsEdge: edgeAttributes({ count: Count }),
      ...more,
    },
  );
}

export const TasksV2 = taskModule(2, { count: Count });
export const TasksV4 = taskModule(4, { count: Count, done: Type.Boolean({ default: false }) });

const next = (it: Readonly<Record<string, unknown>>) => ({ ...it, count: Number(it.count) + 1 });
/** Done twice, it shows: every count is one higher afterwards. */
export const countUp: readonly Migration[] = [
  { to: 4, nodes: { task: next }, edges: { waits: next } },
];

const INSERT_TYPE = `INSERT INTO graph_types (id, name, description, config, version)
  VALUES ('tasks', 'tasks', '', ?, 2)`;
const INSERT_NODES = `WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i + 1 < ?)
  INSERT INTO nodes (id, graph_id, key, attributes, metadata)
  SELECT 'n-' || i, 'g-' || (i % 2), 't-' || i, json_object('count', i),
    '{"_metagraph":{"nodeType":"task"},"own":9007199254740993}' FROM c WHERE i < ?1`;
const INSERT_EDGES = `INSERT INTO edges (id, graph_id, source_node_key, target_node_key, attributes, metadata)
  SELECT 'e-' || a.key, a.graph_id, a.key, b.key, json_object('count', 0),
    '{"_metagraph":{"edgeType":"waits"}}'
  FROM nodes a JOIN nodes b ON b.rowid = a.rowid + 2 AND b.graph_id = a.graph_id`;

/** Stores {@link TasksV2} and two graphs with `nodes` tasks, joined one to the next. */
export function fillTasks({ $client: client }: TenantDatabase, nodes: number): void {
  client.transaction((tx) => {
    const { graphType, nodeTypes, edgeTypes } = moduleToDbSchema(TasksV2);
    tx.execute(INSERT_TYPE, [JSON.stringify(graphType.config)]);
    for (const [table, types] of [
      ["node_types", nodeTypes],
      ["edge_types", edgeTypes],
    ] as const) {
      for (const { name, schema } of types) {
        tx.execute(
          `INSERT INTO ${table} (id, graph_type_id, name, schema) VALUES (?, 'tasks', ?, ?)`,
          [name, name, JSON.stringify(schema)],
        );
      }
    }
    for (const id of ["g-0", "g-1"]) {
      tx.execute("INSERT INTO graphs (id, graph_type_id, name) VALUES (?, 'tasks', ?)", [id, id]);
    }
    if (nodes > 0) tx.execute(INSERT_NODES, [nodes]);
    tx.execute(INSERT_EDGES);
  });
}

/** Rows that are not exactly once over {@link countUp}: none after a migration. */
export function wrongRows(client: Database): unknown[][] {
  return client.rows(`SELECT key, attributes, metadata FROM nodes
    WHERE json_extract(attributes, '$.count') <> substr(key, 3) + 1
      OR json_type(attributes, '$.done') IS NOT 'false'
      OR json_extract(metadata, '$._metagraph.version') IS NOT 4
    UNION ALL SELECT id, attributes, metadata FROM edges
    WHERE json_extract(attributes, '$.count') <> 1
      OR json_extract(metadata, '$._metagraph.version') IS NOT 4`);
}

export function versionOf(client: Database): number {
  return Number(client.rows("SELECT version FROM graph_types WHERE id = 'tasks'")[0]?.[0]);
}

export function guardsOf(client: Database): number {
  const sql =
    "SELECT count(*) FROM sqlite_master WHERE name LIKE '\\_alk\\_migrating%' ESCAPE '\\'";
  return Number(client.rows(sql)[0]?.[0]);
}
