import type { Logger, RelationalSchemaConfig, TablesRelationalConfig } from "drizzle-orm";
import type { HonkerClient } from "./client.ts";
import type { HonkerSQLiteDialect } from "./dialect.ts";
import type { QueryCache } from "./query-cache.ts";

/** What a session is made of. */
export interface SessionParts<TSchema extends TablesRelationalConfig = TablesRelationalConfig> {
  readonly client: HonkerClient;
  readonly dialect: HonkerSQLiteDialect;
  readonly schema: RelationalSchemaConfig<TSchema> | undefined;
  /** Absent when nothing is logged. */
  readonly logger: Logger | undefined;
  readonly cache: QueryCache | undefined;
}
