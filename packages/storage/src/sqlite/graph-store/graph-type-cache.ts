import type { PreparedSql, SqlValue } from "@alkdev/honker";
import { type GraphConfig, type SchemaValidator, schemaValidator } from "../../graphs/index.ts";
import { LruMap } from "../../graphs/lru-map.ts";

/** A node type, ready to check attributes with. */
export interface NodeTypeRules {
  readonly name: string;
  readonly validator: SchemaValidator;
}

/** An edge type; `null` ends allow nodes of any type. */
export interface EdgeTypeRules extends NodeTypeRules {
  readonly sources: ReadonlySet<string> | null;
  readonly targets: ReadonlySet<string> | null;
}

/** A stored graph type, ready to check writes with. */
export interface GraphTypeRules {
  readonly name: string;
  readonly version: number;
  readonly config: GraphConfig;
  readonly nodeTypes: ReadonlyMap<string, NodeTypeRules>;
  readonly edgeTypes: ReadonlyMap<string, EdgeTypeRules>;
}

const TYPE = "SELECT name, version, config FROM graph_types WHERE id = +?";
const NODE_TYPES = "SELECT name, schema FROM node_types WHERE graph_type_id = +? ORDER BY name";
const EDGE_TYPES = `SELECT name, schema, allowed_source_types, allowed_target_types
  FROM edge_types WHERE graph_type_id = +? ORDER BY name`;
const MOST_TYPES = 200;

interface Cached {
  readonly texts: readonly SqlValue[];
  readonly rules: GraphTypeRules;
}

/**
 * Stored graph types with their validators. The rows are read at every call and compared as texts, so
 * that a type changed by anybody, also by raw SQL or in a transaction that is rolled back, is noticed;
 * parsing and compiling happen once per text (ADR-074).
 */
export class GraphTypeCache {
  readonly #sql: (text: string) => PreparedSql;
  readonly #cached = new LruMap<string, Cached>(MOST_TYPES);

  constructor(sql: (text: string) => PreparedSql) {
    this.#sql = sql;
  }

  /** The rules of a graph type as they are now, or null. @throws StorageError `INVALID_SCHEMA` */
  read(id: string): GraphTypeRules | null {
    const type = this.#sql(TYPE).row([id]);
    if (type === undefined) return null;
    const nodeTypes = this.#sql(NODE_TYPES).rows([id]);
    const edgeTypes = this.#sql(EDGE_TYPES).rows([id]);
    const texts = [type, [nodeTypes.length], ...nodeTypes, ...edgeTypes].flat();
    const cached = this.#cached.get(id);
    if (cached !== undefined && sameTexts(cached.texts, texts)) return cached.rules;
    const rules = parse(type, nodeTypes, edgeTypes);
    this.#cached.set(id, { texts, rules });
    return rules;
  }
}

function sameTexts(a: readonly SqlValue[], b: readonly SqlValue[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function parse(
  [name, version, config]: readonly SqlValue[],
  nodeTypes: readonly SqlValue[][],
  edgeTypes: readonly SqlValue[][],
): GraphTypeRules {
  const nodeRules = nodeTypes.map(nodeTypeRules);
  const edgeRules = edgeTypes.map((row): EdgeTypeRules => {
    const [sources, targets] = [names(row[2]), names(row[3])];
    return { ...nodeTypeRules(row), sources, targets };
  });
  return {
    name: String(name),
    version: Number(version),
    // a row written by hand may leave out what is as usual
    config: {
      type: "directed",
      multi: false,
      allowSelfLoops: false,
      ...JSON.parse(String(config)),
    },
    nodeTypes: new Map(nodeRules.map((rules) => [rules.name, rules])),
    edgeTypes: new Map(edgeRules.map((rules) => [rules.name, rules])),
  };
}

function nodeTypeRules([name, schema]: readonly SqlValue[]): NodeTypeRules {
  return { name: String(name), validator: schemaValidator(JSON.parse(String(schema))) };
}

function names(text: SqlValue | undefined): ReadonlySet<string> | null {
  const list: readonly string[] = JSON.parse(String(text));
  return list.length === 0 ? null : new Set(list);
}
