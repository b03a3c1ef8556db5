/** Columns of every table. */
export const COMMON_COLUMNS = `id text PRIMARY KEY NOT NULL,
  metadata text DEFAULT '{}' NOT NULL,
  created_at integer DEFAULT (unixepoch()) NOT NULL,
  updated_at integer DEFAULT (unixepoch()) NOT NULL`;

const GRAPH_TYPES = `CREATE TABLE graph_types (
  ${COMMON_COLUMNS},
  name text NOT NULL,
  description text DEFAULT '' NOT NULL,
  config text DEFAULT '{}' NOT NULL,
  version integer DEFAULT 2 NOT NULL,
  scope text DEFAULT 'tenant' NOT NULL,
  CONSTRAINT graph_types_metadata_json CHECK (json_valid(metadata)),
  CONSTRAINT graph_types_config_json CHECK (json_valid(config)),
  CONSTRAINT graph_types_version CHECK (version >= 2),
  CONSTRAINT graph_types_scope CHECK (scope IN ('system', 'tenant', 'user'))
)`;

const NODE_TYPES = `CREATE TABLE node_types (
  ${COMMON_COLUMNS},
  graph_type_id text NOT NULL REFERENCES graph_types (id) ON DELETE CASCADE,
  name text NOT NULL,
  description text DEFAULT '' NOT NULL,
  schema text NOT NULL,
  CONSTRAINT node_types_metadata_json CHECK (json_valid(metadata)),
  CONSTRAINT node_types_schema_json CHECK (json_valid(schema))
)`;

const EDGE_TYPES = `CREATE TABLE edge_types (
  ${COMMON_COLUMNS},
  graph_type_id text NOT NULL REFERENCES graph_types (id) ON DELETE CASCADE,
  name text NOT NULL,
  description text DEFAULT '' NOT NULL,
  schema text NOT NULL,
  allowed_source_types text DEFAULT '[]' NOT NULL,
  allowed_target_types text DEFAULT '[]' NOT NULL,
  CONSTRAINT edge_types_metadata_json CHECK (json_valid(metadata)),
  CONSTRAINT edge_types_schema_json CHECK (json_valid(schema)),
  CONSTRAINT edge_types_allowed_source_types_json CHECK (json_valid(allowed_source_types)),
  CONSTRAINT edge_types_allowed_target_types_json CHECK (json_valid(allowed_target_types))
)`;

/** Graph types with their node and edge types: in the system database and, as a copy, in each tenant's. */
export const METAGRAPH_TYPES: readonly string[] = [
  GRAPH_TYPES,
  "CREATE UNIQUE INDEX graph_types_name_unique ON graph_types (name)",
  NODE_TYPES,
  "CREATE UNIQUE INDEX node_types_graph_type_id_name ON node_types (graph_type_id, name)",
  EDGE_TYPES,
  "CREATE UNIQUE INDEX edge_types_graph_type_id_name ON edge_types (graph_type_id, name)",
];
