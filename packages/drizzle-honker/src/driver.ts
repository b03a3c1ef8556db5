import { type Database, open } from "@alkdev/honker";
import {
  createTableRelationsHelpers,
  DefaultLogger,
  type DrizzleConfig,
  type ExtractTablesWithRelations,
  extractTablesRelationalConfig,
  type Logger,
  NoopLogger,
  type RelationalSchemaConfig,
} from "drizzle-orm";
import type { HonkerClient } from "./client.ts";
import { HonkerSQLiteDatabase } from "./database.ts";
import { HonkerSQLiteDialect } from "./dialect.ts";
import { QueryCache } from "./query-cache.ts";
import { HonkerSQLiteSession } from "./session.ts";

type AnySchema = Record<string, unknown>;
type NoSchema = Record<string, never>;

/** Options of {@link drizzle}: `schema` for relational queries, `logger`, `casing`, `cache`. */
export type DrizzleHonkerConfig<TSchema extends AnySchema = NoSchema> = DrizzleConfig<TSchema>;

/** The one-argument form: options with an open database, or with the path of one. */
export type DrizzleHonkerSource<
  TSchema extends AnySchema,
  TClient extends HonkerClient,
> = DrizzleHonkerConfig<TSchema> & ({ readonly client: TClient } | { readonly connection: string });

/**
 * Drizzle over a Honker database: typed queries on the connection, and in the transactions, of its
 * notifications, streams, queues and locks.
 *
 * @param path the path of a file, opened with default options
 * @throws what `open()` throws
 * @example
 * ```ts
 * const db = drizzle("./data/app.db", { schema });
 * const ada = db.select().from(users).where(eq(users.name, "Ada")).get();
 * ```
 */
export function drizzle<TSchema extends AnySchema = NoSchema>(
  path: string,
  config?: DrizzleHonkerConfig<TSchema>,
): HonkerSQLiteDatabase<TSchema, Database>;
/**
 * As above, over a database that is open already, which stays yours to close.
 *
 * @example
 * ```ts
 * const db = drizzle(open("./data/app.db", { durability: "full" }), { schema });
 * ```
 */
export function drizzle<
  TSchema extends AnySchema = NoSchema,
  TClient extends HonkerClient = Database,
>(client: TClient, config?: DrizzleHonkerConfig<TSchema>): HonkerSQLiteDatabase<TSchema, TClient>;
/** As above, with everything in one object: `{ client, schema }` or `{ connection: path, schema }`. */
export function drizzle<
  TSchema extends AnySchema = NoSchema,
  TClient extends HonkerClient = Database,
>(source: DrizzleHonkerSource<TSchema, TClient>): HonkerSQLiteDatabase<TSchema, TClient>;
export function drizzle<TSchema extends AnySchema, TClient extends HonkerClient>(
  source: TClient | string | DrizzleHonkerSource<TSchema, TClient>,
  config?: DrizzleHonkerConfig<TSchema>,
): HonkerSQLiteDatabase<TSchema, TClient> {
  const { client, options } = resolve(source, config);
  return construct(client, options);
}

function resolve<TSchema extends AnySchema, TClient extends HonkerClient>(
  source: TClient | string | DrizzleHonkerSource<TSchema, TClient>,
  config: DrizzleHonkerConfig<TSchema> = {},
): { client: TClient; options: DrizzleHonkerConfig<TSchema> } {
  if (typeof source === "string") return { client: opened(source), options: config };
  if ("prepare" in source) return { client: source, options: config };
  if ("client" in source) return { client: source.client, options: source };
  return { client: opened(source.connection), options: source };
}

/** The path forms name no client type, so it is the default one. */
function opened<TClient extends HonkerClient>(path: string): TClient {
  return open(path) as HonkerClient as TClient;
}

function construct<TSchema extends AnySchema, TClient extends HonkerClient>(
  client: TClient,
  config: DrizzleHonkerConfig<TSchema>,
): HonkerSQLiteDatabase<TSchema, TClient> {
  const session = new HonkerSQLiteSession<TSchema, ExtractTablesWithRelations<TSchema>>({
    client,
    dialect: new HonkerSQLiteDialect(config),
    schema: relationalSchema(config.schema),
    logger: loggerOf(config.logger),
    cache: config.cache === undefined ? undefined : new QueryCache(config.cache, client),
  });
  return new HonkerSQLiteDatabase<TSchema, TClient>(client, session);
}

function relationalSchema<TSchema extends AnySchema>(
  schema: TSchema | undefined,
): RelationalSchemaConfig<ExtractTablesWithRelations<TSchema>> | undefined {
  if (schema === undefined) return undefined;
  const { tables, tableNamesMap } = extractTablesRelationalConfig<
    ExtractTablesWithRelations<TSchema>
  >(schema, createTableRelationsHelpers);
  return { fullSchema: schema, schema: tables, tableNamesMap };
}

function loggerOf(logger: boolean | Logger | undefined): Logger | undefined {
  if (logger === true) return new DefaultLogger();
  return logger === false || logger instanceof NoopLogger ? undefined : logger;
}

/** Stands in for the engine in {@link drizzle.mock}. */
export type MockClient = "$client is not available on drizzle.mock()";

/**
 * A database that builds queries but cannot run them: for `toSQL()` and for tests of types.
 */
drizzle.mock = function mock<TSchema extends AnySchema = NoSchema>(
  config: DrizzleHonkerConfig<TSchema> = {},
): Omit<HonkerSQLiteDatabase<TSchema>, "$client"> & { readonly $client: MockClient } {
  const client = {} as HonkerClient;
  return construct<TSchema, HonkerClient>(client, config) as never;
};
