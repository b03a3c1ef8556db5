export type { Clock } from "./core/clock.ts";
export type { ErrorHandler } from "./core/core.ts";
export type { Sequence } from "./core/polled-sequence.ts";
export type {
  SyncCallback,
  Transaction,
  TransactionBehavior,
  TransactionOptions,
} from "./core/transaction.ts";
export { Database } from "./database.ts";
export { HonkerError, type HonkerErrorCode, type HonkerErrorOptions } from "./errors.ts";
export type { ListenOptions, Notification } from "./notify/notifications.ts";
export { open } from "./open.ts";
export type { Durability, NotificationRetention, OpenOptions } from "./options.ts";
export {
  EXTENSION_PATH_VARIABLE,
  type ExtensionLookup,
  type ExtensionOption,
  resolveHonkerExtension,
} from "./schema/extension.ts";
export type {
  BackupProgress,
  IntegerMode,
  Row,
  RunResult,
  SqlInput,
  SqlValue,
} from "./sqlite/connection.ts";
export type { QueryOptions } from "./sqlite/query.ts";
