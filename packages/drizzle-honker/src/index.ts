export type { HonkerClient, HonkerStatement, RunResult } from "./client.ts";
export { HonkerSQLiteDatabase } from "./database.ts";
export {
  type DrizzleHonkerConfig,
  type DrizzleHonkerSource,
  drizzle,
  type MockClient,
} from "./driver.ts";
export {
  DrizzleHonkerError,
  type DrizzleHonkerErrorCode,
  type DrizzleHonkerErrorOptions,
} from "./errors.ts";
export { int64, isInt64 } from "./int64.ts";
export type { LiveQueryOptions, LiveResults } from "./live.ts";
export { HonkerPreparedQuery } from "./prepared-query.ts";
export type {
  BatchQueries,
  BatchResults,
  CountNow,
  IterableQuery,
  ResultOf,
  RowOf,
  SyncOnly,
  UnrunQuery,
} from "./queries.ts";
export { HonkerSQLiteSession } from "./session.ts";
export { HonkerSQLiteTransaction } from "./transaction.ts";
