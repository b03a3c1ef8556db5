export type { Clock } from "./core/clock.ts";
export type {
  BackupProgress,
  IntegerMode,
  RunResult,
  SqlInput,
  SqlValue,
} from "./sqlite/connection.ts";
export type { ErrorHandler } from "./core/core.ts";
export { Database } from "./database.ts";
export { HonkerError, type HonkerErrorCode, type HonkerErrorOptions } from "./errors.ts";
export {
  EXTENSION_PATH_VARIABLE,
  type ExtensionLookup,
  type ExtensionOption,
  resolveHonkerExtension,
} from "./schema/extension.ts";
export type { ListenOptions, Notification } from "./notify/notifications.ts";
export { open } from "./open.ts";
export type { Durability, NotificationRetention, OpenOptions } from "./options.ts";
export type { Sequence } from "./core/polled-sequence.ts";
export type { QueryOptions, Row } from "./sqlite/query.ts";
export type {
  SyncCallback,
  Transaction,
  TransactionBehavior,
  TransactionOptions,
} from "./core/transaction.ts";
