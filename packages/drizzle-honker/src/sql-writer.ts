import type { BuildQueryConfig, QueryTypingsValue } from "drizzle-orm";
import {
  Column,
  getTableName,
  is,
  isSQLWrapper,
  Name,
  Param,
  Placeholder,
  type Query,
  SQL,
  type SQLChunk,
  StringChunk,
  Subquery,
  Table,
  View,
} from "drizzle-orm";
import { inlinesParams, isAliased, schemaOf, viewConfig } from "./drizzle-internals.ts";

/** What the driver remembers of a query besides its text. */
export interface QueryTraits {
  /** Some parameters are only known when the query runs. */
  readonly placeholders: boolean;
  /** Its integers must be read as bigint; only set for relational queries. */
  readonly exactIntegers: boolean;
}

const UNKNOWN: QueryTraits = { placeholders: true, exactIntegers: false };

/** A statement's text and parameters, as Drizzle's own `toQuery` returns them. */
export class BuiltQuery implements Query {
  readonly sql: string;
  readonly params: unknown[];
  readonly typings?: QueryTypingsValue[];
  readonly #traits: QueryTraits;

  constructor(sql: string, params: unknown[], traits: QueryTraits) {
    this.sql = sql;
    this.params = params;
    if (params.length > 0) this.typings = new Array(params.length).fill("none");
    this.#traits = traits;
  }

  /** What is known of a query besides its text; on the safe side for one written by somebody else. */
  static traits(query: Query): QueryTraits {
    return query instanceof BuiltQuery ? query.#traits : UNKNOWN;
  }
}

/** The kinds of chunks an SQL tree is made of, in the order in which Drizzle looks for them. */
type Kind =
  | "text"
  | "name"
  | "sql"
  | "table"
  | "column"
  | "view"
  | "param"
  | "placeholder"
  | "aliased"
  | "subquery"
  | "other";

/** Kinds by prototype: telling them apart by `is()` is what Drizzle's own writer spends its time on. */
const kinds = new WeakMap<object, Kind>();

/**
 * Writes the SQL tree of a query in one pass. The result is the same as that of Drizzle's
 * `SQL.toQuery()`; `test/sql-writer.test.ts` compares the two. One writer writes one query.
 */
export class SqlWriter {
  readonly #config: BuildQueryConfig;
  #text = "";
  readonly #params: unknown[] = [];
  #placeholders = false;

  constructor(config: BuildQueryConfig) {
    this.#config = config;
  }

  /** @param exactIntegers see {@link QueryTraits} */
  write(query: SQL, exactIntegers = false): BuiltQuery {
    this.#sql(query);
    return new BuiltQuery(this.#text, this.#params, {
      placeholders: this.#placeholders,
      exactIntegers,
    });
  }

  #sql(query: SQL): void {
    if (inlinesParams(query)) {
      const { sql, params } = query.buildQueryFromSourceParams(query.queryChunks, this.#config);
      this.#text += sql;
      for (const param of params) this.#push(param);
      return;
    }
    const chunks = query.queryChunks;
    for (let i = 0; i < chunks.length; i++) this.#chunk(chunks[i]);
  }

  #chunk(chunk: unknown): void {
    if (chunk === undefined) return;
    if (typeof chunk !== "object" || chunk === null) {
      this.#other(chunk);
      return;
    }
    switch (kindOf(chunk)) {
      case "text": {
        const { value } = chunk as StringChunk;
        this.#text += value.length === 1 ? value[0] : value.join("");
        return;
      }
      case "name":
        this.#text += quoted((chunk as Name).value);
        return;
      case "sql":
        this.#sql(chunk as SQL);
        return;
      case "table":
        this.#table(chunk as Table);
        return;
      case "column":
        this.#column(chunk as Column);
        return;
      case "view":
        this.#view(chunk as View);
        return;
      case "param":
        this.#param(chunk as Param);
        return;
      case "placeholder":
        this.#placeholders = true;
        this.#bind(chunk);
        return;
      case "aliased":
        this.#aliased(chunk as SQL.Aliased);
        return;
      case "subquery":
        this.#subquery(chunk as Subquery);
        return;
      case "other":
        this.#other(chunk);
    }
  }

  #list(chunks: readonly unknown[]): void {
    this.#text += "(";
    for (let i = 0; i < chunks.length; i++) {
      if (i > 0) this.#text += ", ";
      this.#chunk(chunks[i]);
    }
    this.#text += ")";
  }

  #table(table: Table): void {
    const schema = schemaOf(table);
    if (schema !== undefined && !isAliased(table)) this.#text += `${quoted(schema)}.`;
    this.#text += quoted(getTableName(table));
  }

  #column(column: Column): void {
    this.#table(column.table);
    this.#text += `.${quoted(this.#config.casing.getColumnCasing(column))}`;
  }

  #view(view: View): void {
    const { schema, name, isAlias } = viewConfig(view);
    if (schema !== undefined && !isAlias) this.#text += `${quoted(schema)}.`;
    this.#text += quoted(name);
  }

  #param(param: Param): void {
    const { value } = param;
    if (typeof value === "object" && value !== null && is(value, Placeholder)) {
      this.#placeholders = true;
      this.#bind(param);
      return;
    }
    const mapped = value === null ? null : param.encoder.mapToDriverValue(value);
    if (typeof mapped === "object" && mapped !== null && is(mapped, SQL)) this.#sql(mapped);
    else this.#bind(mapped);
  }

  #aliased(aliased: SQL.Aliased): void {
    if (aliased.fieldAlias === undefined) this.#wrapped(aliased);
    else this.#text += quoted(aliased.fieldAlias);
  }

  #subquery(subquery: Subquery): void {
    const { alias, isWith, sql } = subquery._;
    if (!isWith) {
      this.#text += "(";
      this.#sql(sql);
      this.#text += ") ";
    }
    this.#text += quoted(alias);
  }

  #other(chunk: unknown): void {
    if (Array.isArray(chunk)) this.#list(chunk);
    else if (isSQLWrapper(chunk)) this.#wrapped(chunk);
    else this.#bind(chunk);
  }

  #wrapped(wrapper: { getSQL(): SQL; shouldOmitSQLParens?(): boolean }): void {
    if (wrapper.shouldOmitSQLParens?.()) {
      this.#sql(wrapper.getSQL());
      return;
    }
    this.#text += "(";
    this.#sql(wrapper.getSQL());
    this.#text += ")";
  }

  #bind(param: unknown): void {
    this.#text += "?";
    this.#params.push(param);
  }

  #push(param: unknown): void {
    if (is(param, Placeholder) || is(param, Param)) this.#placeholders = true;
    this.#params.push(param);
  }
}

/** A name in double quotes. */
export function quoted(name: string): string {
  return name.includes('"') ? `"${name.replaceAll('"', '""')}"` : `"${name}"`;
}

function kindOf(chunk: object): Kind {
  const prototype = Object.getPrototypeOf(chunk) as object | null;
  if (prototype === null) return "other";
  let kind = kinds.get(prototype);
  if (kind === undefined) {
    kind = classify(chunk as SQLChunk);
    kinds.set(prototype, kind);
  }
  return kind;
}

function classify(chunk: SQLChunk): Kind {
  if (is(chunk, StringChunk)) return "text";
  if (is(chunk, Name)) return "name";
  if (Array.isArray(chunk)) return "other";
  if (is(chunk, SQL)) return "sql";
  if (is(chunk, Table)) return "table";
  if (is(chunk, Column)) return "column";
  if (is(chunk, View)) return "view";
  if (is(chunk, Param)) return "param";
  if (is(chunk, Placeholder)) return "placeholder";
  if (is(chunk, SQL.Aliased)) return "aliased";
  if (is(chunk, Subquery)) return "subquery";
  return "other";
}
