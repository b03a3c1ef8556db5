import { createHash } from "node:crypto";
import type { TableChange } from "@alkdev/honker";
import type { Cache } from "drizzle-orm/cache/core";
import type { WithCacheConfig } from "drizzle-orm/cache/core/types";
import type { HonkerClient } from "./client.ts";

/** A query whose rows may be kept. */
export interface CacheableQuery {
  readonly sql: string;
  readonly params: readonly unknown[];
  /** What `$withCache()` said, if anything. */
  readonly config: WithCacheConfig | undefined;
  rows(): unknown[][];
}

const DATA_VERSION = "PRAGMA data_version";
const ENGINE_TABLE = /^_(honker|alk)_/;

/**
 * Drizzle's cache, kept right by commits: a table's entries are dropped after each commit that wrote
 * it, never after a rollback, whichever way it was written (Drizzle, raw SQL, trigger, cascade). Commits
 * of other processes are noticed at the next read, and drop everything. Inside a transaction the cache
 * is neither read nor filled.
 *
 * What is kept are positional rows with bytes and bigints spelled out, so that a cache that stores JSON
 * gives back what it got, and nobody can change an entry through its result.
 */
export class QueryCache {
  readonly #cache: Cache;
  readonly #client: HonkerClient;
  /** Tables with entries, as far as this process filled them. */
  readonly #tables = new Set<string>();
  #invalidated: Promise<unknown> = Promise.resolve();
  #version: unknown;

  constructor(cache: Cache, client: HonkerClient) {
    this.#cache = cache;
    this.#client = client;
    client.onCommit((change) => this.#onCommit(change));
  }

  /** The rows of `query`, from the cache when it has them. */
  async rows(query: CacheableQuery): Promise<unknown[][]> {
    const config = this.#configOf(query);
    if (config === undefined || this.#client.inTransaction) return query.rows();
    const { reads, opaque } = this.#client.tablesOf(query.sql, query.params as never);
    if (opaque) return query.rows();
    const tables = [...reads];
    const tagged = config.tag !== undefined;
    const key = config.tag ?? keyOf(this.#client.path, query);
    this.#noticeOtherProcesses();
    await this.#invalidated;
    const kept = await this.#cache.get(key, tables, tagged, config.autoInvalidate);
    if (kept !== undefined) return decoded(kept as unknown[][]);
    // nothing may be awaited between the query and put(), or an invalidation could overtake it
    if (this.#client.inTransaction) return query.rows();
    this.#noticeOtherProcesses();
    const rows = query.rows();
    const invalidating = config.autoInvalidate === false ? [] : tables;
    for (const table of invalidating) this.#tables.add(table);
    await this.#cache.put(key, encoded(rows), invalidating, tagged, config.config);
    return rows;
  }

  invalidate(...args: Parameters<Cache["onMutate"]>): ReturnType<Cache["onMutate"]> {
    return this.#cache.onMutate(...args);
  }

  #configOf({ config }: CacheableQuery): WithCacheConfig | undefined {
    if (config === undefined) {
      return this.#cache.strategy() === "all" ? { enable: true, autoInvalidate: true } : undefined;
    }
    return config.enable ? config : undefined;
  }

  #onCommit({ tables, engine, more }: TableChange): void {
    const known = [...this.#tables];
    const engineTables = engine ? known.filter((name) => ENGINE_TABLE.test(name)) : [];
    this.#drop(more ? known : [...tables, ...engineTables]);
  }

  #noticeOtherProcesses(): void {
    const version = this.#client.prepare(DATA_VERSION).row()?.[0];
    if (this.#version !== undefined && version !== this.#version) this.#drop([...this.#tables]);
    this.#version = version;
  }

  #drop(tables: string[]): void {
    if (tables.length === 0) return;
    const dropped = this.#cache.onMutate({ tables });
    this.#invalidated = Promise.all([this.#invalidated, dropped]).catch((error: unknown) => {
      process.emitWarning(`the query cache could not be invalidated: ${String(error)}`, {
        type: "DrizzleHonkerWarning",
      });
    });
  }
}

/** Databases that share one cache must not share entries, so the key names the file. */
function keyOf(path: string, { sql, params }: CacheableQuery): string {
  return createHash("sha256")
    .update(JSON.stringify([path, sql, params.map(encodeValue)]))
    .digest("hex");
}

function encoded(rows: readonly unknown[][]): unknown[][] {
  return rows.map((row) => row.map(encodeValue));
}

function decoded(rows: readonly unknown[][]): unknown[][] {
  return rows.map((row) => row.map(decodeValue));
}

function encodeValue(value: unknown): unknown {
  if (typeof value === "bigint") return { int64: String(value) };
  if (value instanceof Uint8Array) return { blob: Buffer.from(value).toString("base64") };
  // JSON has no infinity
  return typeof value === "number" && !Number.isFinite(value) ? { real: String(value) } : value;
}

function decodeValue(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if ("int64" in value) return BigInt(String(value.int64));
  if ("real" in value) return Number(value.real);
  return "blob" in value ? Buffer.from(String(value.blob), "base64") : value;
}
