import { createHash } from "node:crypto";
import { StorageError } from "../../errors.ts";
import { readGraphType } from "../graph-types/read-graph-type.ts";
import {
  type AttributePath,
  attributePointer,
  attributeSteps,
  jsonPathLiteral,
  pointerOfJsonPath,
  sqlText,
} from "./attribute-path.ts";
import type { StoreContext } from "./store-context.ts";
import { typeExpression } from "./type-filter.ts";

/** An attribute that filters and orders of `listNodes` find by an index. */
export interface AttributeIndex {
  /** Node types of this name, in every graph type of the file. */
  readonly nodeType: string;
  /** A path, or a JSON pointer, as in a filter; listed as a pointer. */
  readonly attribute: AttributePath;
}

/** An index to make. */
export interface AttributeIndexInput extends AttributeIndex {
  /** Name of the graph type, to see that it has the node type and the attribute. */
  readonly graphType: string;
}

const PREFIX = "alk_attribute_";
const LIST = `SELECT sql FROM sqlite_schema
  WHERE type = 'index' AND tbl_name = 'nodes' AND substr(name, 1, ${PREFIX.length}) = '${PREFIX}'
  ORDER BY rowid`;
const EXISTS = "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = +?";
/** Reads back what {@link createSql} wrote: the JSON path and the node type. */
const WRITTEN = /json_extract\(attributes, '((?:[^']|'')*)'\), key\).* = '((?:[^']|'')*)'$/s;

/** Makes the index of an attribute; returns false where there is one. */
export function declareIndex(store: StoreContext, input: AttributeIndexInput): boolean {
  const { nodeType, attribute } = input;
  return store.transaction(() => {
    requireAttribute(store, input);
    const name = indexName({ nodeType, attribute });
    if (store.sql(EXISTS).row([name]) !== undefined) return false;
    store.client.execute(createSql(name, { nodeType, attribute }));
    return true;
  });
}

/** Drops the index of an attribute; returns false where there is none. */
export function dropIndex(store: StoreContext, index: AttributeIndex): boolean {
  const name = indexName(index);
  return store.transaction(() => {
    if (store.sql(EXISTS).row([name]) === undefined) return false;
    store.client.execute(`DROP INDEX ${name}`);
    return true;
  });
}

/** The indexes of attributes that there are, in the order they were made. */
export function listIndexes(store: StoreContext): readonly AttributeIndex[] {
  const indexes: AttributeIndex[] = [];
  for (const [sql] of store.sql(LIST).rows()) {
    const [, path, nodeType] = WRITTEN.exec(String(sql)) ?? [];
    if (path === undefined || nodeType === undefined) continue;
    const attribute = pointerOfJsonPath(path.replaceAll("''", "'"));
    indexes.push({ nodeType: nodeType.replaceAll("''", "'"), attribute });
  }
  return indexes;
}

/** Only nodes of the type are in it. Ends with the key, so that equal values are read in its order. */
function createSql(name: string, { nodeType, attribute }: AttributeIndex): string {
  return `CREATE INDEX ${name}
    ON nodes (graph_id, json_extract(attributes, ${jsonPathLiteral(attribute)}), key)
    WHERE ${typeExpression("nodeType")} = ${sqlText(nodeType)}`;
}

/** Index names ignore case and node type names may hold anything, so they are hashed. */
function indexName({ nodeType, attribute }: AttributeIndex): string {
  const text = JSON.stringify([nodeType, attributePointer(attribute)]);
  return PREFIX + createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** @throws StorageError `NOT_FOUND`, `INVALID_ARGUMENT` */
function requireAttribute(store: StoreContext, input: AttributeIndexInput): void {
  const { graphType, nodeType, attribute } = input;
  const stored = readGraphType(store.client, { name: graphType });
  const type = stored?.nodeTypes.find(({ name }) => name === nodeType);
  if (type === undefined) {
    const what = stored === null ? "graph type" : `node type "${nodeType}" in graph type`;
    throw new StorageError("NOT_FOUND", `there is no ${what} "${graphType}"`, {
      details: { graphType, nodeType },
    });
  }
  const [first = ""] = attributeSteps(attribute);
  const { properties, additionalProperties } = type.schema;
  if (additionalProperties !== false || Object.hasOwn(Object(properties), first)) return;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `node type "${nodeType}" of graph type "${graphType}" has no attribute "${first}"`,
    { details: { graphType, nodeType, attribute } },
  );
}
