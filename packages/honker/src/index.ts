export type { Clock } from "./core/clock.ts";
export type { ErrorHandler } from "./core/core.ts";
export type { Sequence } from "./core/polled-sequence.ts";
export type { PreparedSql } from "./core/prepared-sql.ts";
export type {
  StandardSchemaIssue,
  StandardSchemaResult,
  StandardSchemaV1,
} from "./core/standard-schema.ts";
export type {
  SyncCallback,
  Transaction,
  TransactionBehavior,
  TransactionOptions,
} from "./core/transaction.ts";
export { Database } from "./database.ts";
export { HonkerError, type HonkerErrorCode, type HonkerErrorOptions } from "./errors.ts";
export { Lock } from "./lock/lock.ts";
export type { LockInfo } from "./lock/lock-table.ts";
export type { LockedWork, WithLockOptions } from "./lock/with-lock.ts";
export type { ListenOptions, Notification } from "./notify/notifications.ts";
export { open } from "./open.ts";
export type { BackupOptions, BackupResult } from "./operations/backup.ts";
export type { CheckpointMode, CheckpointResult } from "./operations/checkpoint.ts";
export type { DoctorOptions, DoctorReport } from "./operations/doctor/doctor.ts";
export type { DoctorThresholds, Finding, FindingCode } from "./operations/doctor/finding.ts";
export type { ForeignKeyViolation, IntegrityReport } from "./operations/integrity.ts";
export type { IntegrityOptions } from "./operations/integrity-check.ts";
export type { PruneOptions, PruneResult } from "./operations/prune.ts";
export { type RestoreOptions, restoreBackup } from "./operations/restore-backup.ts";
export type {
  ConsumerStats,
  DatabaseStats,
  FileStats,
  GroupStats,
  QueueStats,
  StreamStats,
} from "./operations/stats.ts";
export type { Durability, NotificationRetention, OpenOptions } from "./options.ts";
export type {
  Backoff,
  BackoffFunction,
  ExponentialBackoff,
  FixedBackoff,
  StoredBackoff,
} from "./queue/backoff.ts";
export type { ClaimOptions, ClaimWaker } from "./queue/claim-sequence.ts";
export type { DeadReason } from "./queue/dead-letter-writer.ts";
export type {
  DeadLetter,
  DeadLetterSelection,
  DeadLetters,
  DeadListOptions,
} from "./queue/dead-letters.ts";
export type { Job } from "./queue/job.ts";
export type { JobHistoryEntry, JobOutcome } from "./queue/job-history.ts";
export type { JobSnapshot } from "./queue/job-snapshot.ts";
export type { EnqueueOutcome, OfferedJob } from "./queue/offered-job.ts";
export type { Deliver, Outbox, OutboxOptions } from "./queue/outbox.ts";
export type { Queue } from "./queue/queue.ts";
export type {
  DeadJobOptions,
  EnqueueOptions,
  HistoryRetention,
  OnUniqueConflict,
  QueueOptions,
  UniqueOptions,
  UniqueScope,
} from "./queue/queue-options.ts";
export type { QueueCounts } from "./queue/queue-stats.ts";
export type { WaitResultOptions } from "./queue/results.ts";
export type { JobContext } from "./queue/running-jobs.ts";
export type { Worker } from "./queue/worker.ts";
export type { BatchHandler, JobHandler, WorkOptions } from "./queue/worker-options.ts";
export type { RateLimitOptions, RateLimitResult } from "./rate-limit/rate-limit-options.ts";
export type { FiredSlot } from "./schedule/fire-due.ts";
export { nextFireTime } from "./schedule/fire-times.ts";
export type {
  HonkerScheduleChanges,
  HonkerScheduleOptions,
  MissedRuns,
  ScheduleChanges,
  ScheduleOptions,
} from "./schedule/schedule-options.ts";
export { type ScheduleInfo, Scheduler, type SchedulerStartOptions } from "./schedule/scheduler.ts";
export {
  EXTENSION_PATH_VARIABLE,
  type ExtensionLookup,
  type ExtensionOption,
  resolveHonkerExtension,
} from "./schema/extension.ts";
export type {
  BackupProgress,
  Column,
  IntegerMode,
  Row,
  RunResult,
  SqlInput,
  SqlValue,
} from "./sqlite/connection.ts";
export type { QueryOptions } from "./sqlite/query.ts";
export type { ConsumerInfo } from "./stream/consumer-offsets.ts";
export type { GroupInfo, GroupOptions, JoinOptions } from "./stream/group-options.ts";
export { Stream } from "./stream/stream.ts";
export {
  type DeadLetterListOptions,
  type StreamDeadLetter,
  StreamDeadLetters,
} from "./stream/stream-dead-letters.ts";
export { StreamDelivery } from "./stream/stream-delivery.ts";
export type { StreamEvent } from "./stream/stream-event.ts";
export type { StreamFilter } from "./stream/stream-filter.ts";
export { StreamGroup } from "./stream/stream-group.ts";
export type {
  InvalidPayloadPolicy,
  ReadOptions,
  ReplayOptions,
  StreamInfo,
  StreamOptions,
  StreamStart,
  SubscribeOptions,
  TailOptions,
  UpcastEvent,
} from "./stream/stream-options.ts";
export type { StreamRetention } from "./stream/stream-retention.ts";
export type { PublishOptions } from "./stream/stream-writer.ts";
export type { LiveOptions } from "./tables/live-rows.ts";
export type { StatementTables } from "./tables/statement-tables.ts";
export type { TableChange } from "./tables/table-changes.ts";
export {
  type ObservedDatabase,
  type ObserveOptions,
  observeDatabase,
} from "./telemetry/observe-database.ts";
export { traceMessage } from "./telemetry/trace-message.ts";
