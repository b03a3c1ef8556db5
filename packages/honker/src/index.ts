export type { Clock } from "./clock.ts";
export type {
  BackupProgress,
  IntegerMode,
  RunResult,
  SqlInput,
  SqlValue,
} from "./connection.ts";
export type { ErrorHandler } from "./core.ts";
export { Database } from "./database.ts";
export { HonkerError, type HonkerErrorCode, type HonkerErrorOptions } from "./errors.ts";
export {
  EXTENSION_PATH_VARIABLE,
  type ExtensionLookup,
  type ExtensionOption,
  resolveHonkerExtension,
} from "./extension.ts";
export type { ListenOptions, Notification } from "./notifications.ts";
export { open } from "./open.ts";
export type { Durability, NotificationRetention, OpenOptions } from "./options.ts";
export type { Sequence } from "./polled-sequence.ts";
export type { QueryOptions, Row } from "./query.ts";
export type {
  SyncCallback,
  Transaction,
  TransactionBehavior,
  TransactionOptions,
} from "./transaction.ts";
