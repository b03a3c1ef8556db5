import { COMMON_COLUMNS } from "./metagraph-types.ts";

const GRAPHS = `CREATE TABLE graphs (
  ${COMMON_COLUMNS},
  graph_type_id text REFERENCES graph_types (id) ON DELETE SET NULL,
  name text NOT NULL,
  description text DEFAULT '' NOT NULL,
  status text DEFAULT 'draft' NOT NULL,
  owner_id text,
  project_id text,
  CONSTRAINT graphs_metadata_json CHECK (json_valid(metadata)),
  CONSTRAINT graphs_status CHECK (status IN ('draft', 'active', 'archived'))
)`;

const NODES = `CREATE TABLE nodes (
  ${COMMON_COLUMNS},
  graph_id text NOT NULL REFERENCES graphs (id) ON DELETE CASCADE,
  key text NOT NULL,
  attributes text DEFAULT '{}' NOT NULL,
  CONSTRAINT nodes_metadata_json CHECK (json_valid(metadata)),
  CONSTRAINT nodes_attributes_json CHECK (json_valid(attributes))
)`;

const EDGES = `CREATE TABLE edges (
  ${COMMON_COLUMNS},
  graph_id text NOT NULL REFERENCES graphs (id) ON DELETE CASCADE,
  key text,
  source_node_key text NOT NULL,
  target_node_key text NOT NULL,
  attributes text DEFAULT '{}' NOT NULL,
  undirected integer DEFAULT false NOT NULL,
  CONSTRAINT edges_source_node FOREIGN KEY (graph_id, source_node_key)
    REFERENCES nodes (graph_id, key) ON DELETE CASCADE,
  CONSTRAINT edges_target_node FOREIGN KEY (graph_id, target_node_key)
    REFERENCES nodes (graph_id, key) ON DELETE CASCADE,
  CONSTRAINT edges_metadata_json CHECK (json_valid(metadata)),
  CONSTRAINT edges_attributes_json CHECK (json_valid(attributes)),
  CONSTRAINT edges_undirected CHECK (undirected IN (0, 1))
)`;

/** The foreign key alone would silently detach the graphs of a deleted type. */
const KEEP_TYPES_IN_USE = `CREATE TRIGGER graph_types_in_use BEFORE DELETE ON graph_types
  WHEN EXISTS (SELECT 1 FROM graphs WHERE graph_type_id = OLD.id)
  BEGIN SELECT raise(ABORT, 'graph_types_in_use: a graph still has this graph type'); END`;

/** Graphs, nodes and edges; needs the tables of the graph types. */
export const METAGRAPH_GRAPHS: readonly string[] = [
  GRAPHS,
  "CREATE INDEX graphs_graph_type_id ON graphs (graph_type_id)",
  "CREATE INDEX graphs_owner_id ON graphs (owner_id)",
  "CREATE INDEX graphs_project_id ON graphs (project_id)",
  "CREATE INDEX graphs_owner_id_project_id ON graphs (owner_id, project_id)",
  NODES,
  "CREATE UNIQUE INDEX nodes_graph_id_key ON nodes (graph_id, key)",
  `CREATE INDEX nodes_node_type
    ON nodes (json_extract(metadata, '$._metagraph.nodeType'), graph_id, key)`,
  EDGES,
  "CREATE UNIQUE INDEX edges_graph_id_key ON edges (graph_id, key)",
  "CREATE INDEX edges_source ON edges (graph_id, source_node_key, target_node_key)",
  "CREATE INDEX edges_target ON edges (graph_id, target_node_key, source_node_key)",
  `CREATE INDEX edges_edge_type
    ON edges (json_extract(metadata, '$._metagraph.edgeType'), graph_id, source_node_key, target_node_key)`,
  `CREATE INDEX edges_undirected ON edges (graph_id, target_node_key, source_node_key)
    WHERE undirected = 1`,
  KEEP_TYPES_IN_USE,
];
