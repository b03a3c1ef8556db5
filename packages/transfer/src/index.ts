export type { BullMqJob } from "./bullmq/bullmq-job.ts";
export type { BullMqSchedule, BullMqState } from "./bullmq/bullmq-queue.ts";
export {
  type BullMqReport,
  type ImportBullMqOptions,
  importBullMq,
  type LeftJob,
} from "./bullmq/import-bullmq.ts";
export { TransferError, type TransferErrorCode, type TransferErrorOptions } from "./errors.ts";
export {
  type ExportDatabaseOptions,
  type ExportedFile,
  type ExportManifest,
  exportDatabase,
} from "./export/export-database.ts";
export type { ImportPostgresOptions } from "./import/import-options.ts";
export { importPostgres } from "./import/import-postgres.ts";
export type { ImportedTable, ImportReport, WrittenTable } from "./import/import-report.ts";
export type { RowCode, RowReport } from "./import/row-refusal.ts";
export type { JsonNotes } from "./import/values.ts";
export {
  type SeededHub,
  type SeedPostgresHubOptions,
  seedPostgresHub,
} from "./postgres/seed/seed-postgres-hub.ts";
export type { TransferOptions, TransferProgress } from "./progress.ts";
export type { ImportedGroup } from "./redis/consumer-positions.ts";
export {
  type ImportRedisStreamOptions,
  importRedisStream,
  type RedisStreamReport,
} from "./redis/import-redis-stream.ts";
export type { EntryEvent, RedisEntry } from "./redis/redis-entry.ts";
