import type { Core } from "../../core/core.ts";

/** What {@link Database.doctor} can find. */
export type FindingCode =
  /** The file is damaged. */
  | "DAMAGED_FILE"
  /** Rows whose parent does not exist. */
  | "FOREIGN_KEY_VIOLATION"
  /** A table, column or index of the engine is missing or not as it should be. */
  | "SCHEMA_DRIFT"
  /** Jobs whose worker vanished, and that nobody claims again. */
  | "ORPHANED_CLAIMS"
  /** Jobs without attempts left that are not among the dead letters yet. */
  | "EXHAUSTED_JOBS"
  /** Jobs that are due for long and that nobody claims. */
  | "NEGLECTED_QUEUE"
  /** A consumer that has not saved its place for long although there are events. */
  | "STUCK_CONSUMER"
  /** Schedules that are due and that nobody fires. */
  | "OVERDUE_SCHEDULE"
  /** Rows written by a machine whose clock is ahead of this one. */
  | "CLOCK_SKEW"
  /** A table of the engine that only grows. */
  | "UNBOUNDED_TABLE"
  /** The write-ahead log is not being taken in. */
  | "OVERSIZED_WAL"
  /** A large part of the file is empty. */
  | "FREE_SPACE"
  /** This connection does not have the safety settings it was opened with. */
  | "UNSAFE_SETTINGS";

/** One thing that is wrong, or will be. */
export interface Finding {
  readonly code: FindingCode;
  /** `"error"`: data is at risk or work stands still. `"warning"`: it will. `"info"`: worth knowing. */
  readonly severity: "error" | "warning" | "info";
  /** What is wrong, where, and how much. */
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
  /** The values the message speaks of. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Whether `fix: true` can repair it. */
  readonly fixable: boolean;
  /** Whether it was repaired by this call. */
  readonly fixed: boolean;
}

/** From when on something counts as wrong. */
export interface DoctorThresholds {
  /** Seconds an expired claim may wait for the next worker. Default 300. */
  readonly claimSeconds: number;
  /** Seconds a due job may wait. Default 3,600. */
  readonly readySeconds: number;
  /** Seconds a consumer may leave an event unread. Default 3,600. */
  readonly consumerSeconds: number;
  /** Seconds a schedule may be overdue. Default 300. */
  readonly scheduleSeconds: number;
  /** Seconds a row may lie in the future. Default 60. */
  readonly skewSeconds: number;
  /** Rows a table of the engine may have. Default 1,000,000. */
  readonly rows: number;
  /** Bytes of the write-ahead log. Default 67,108,864; a healthy one stays near 16 MiB. */
  readonly walBytes: number;
  /** Bytes of empty pages, where these are more than a quarter of the file. Default 67,108,864. */
  readonly freeBytes: number;
}

export const DEFAULT_THRESHOLDS: DoctorThresholds = {
  claimSeconds: 300,
  readySeconds: 3_600,
  consumerSeconds: 3_600,
  scheduleSeconds: 300,
  skewSeconds: 60,
  rows: 1_000_000,
  walBytes: 64 * 1024 * 1024,
  freeBytes: 64 * 1024 * 1024,
};

/** What a check may use. */
export interface Examination {
  readonly core: Core;
  readonly thresholds: DoctorThresholds;
}

/** A finding before it is decided whether it gets repaired. */
export interface Diagnosis extends Omit<Finding, "fixable" | "fixed"> {
  /** Repairs it; absent where a person has to decide. */
  readonly repair?: () => void;
}

/** Looks at one kind of trouble. */
export type Check = (examination: Examination) => readonly Diagnosis[];
