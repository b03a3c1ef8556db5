import { CoordinatingDatabase } from "./database/coordinating-database.ts";
import { type BackupOptions, type BackupResult, backupDatabase } from "./operations/backup.ts";
import { type CheckpointMode, type CheckpointResult, checkpoint } from "./operations/checkpoint.ts";
import { type DoctorOptions, type DoctorReport, examine } from "./operations/doctor/doctor.ts";
import type { IntegrityReport } from "./operations/integrity.ts";
import { type IntegrityOptions, integrityCheck } from "./operations/integrity-check.ts";
import { type PruneOptions, type PruneResult, prune } from "./operations/prune.ts";
import { type DatabaseStats, readStats } from "./operations/stats.ts";
import type { NotificationRetention } from "./options.ts";

/**
 * An open database file: SQL, notifications, streams, queues, locks and schedules on one connection,
 * so that all of them commit or roll back together. Made by {@link open}.
 */
export class Database extends CoordinatingDatabase {
  /** Deletes old notifications now; it also happens by itself. Returns how many were deleted. */
  pruneNotifications(retention?: NotificationRetention): number {
    return this.use().notifications.prune(retention);
  }

  /**
   * Copies the database to `destination` while it is in use: the database of this moment, however much
   * is written meanwhile. The copy is verified by opening it, and gets its name only then; a killed
   * backup leaves no file of that name. Files from 4 MiB on are copied in a thread of their own.
   *
   * @throws `FILE_EXISTS`, `CANNOT_OPEN` when the folder is missing, `BACKUP_INVALID`, `DISK_FULL`,
   * `OPEN_CONFLICT` when a file to overwrite is open, `CLOSED`
   * @example
   * ```ts
   * const { bytes, sha256 } = await db.backup("./backups/monday.db");
   * ```
   */
  backup(destination: string, options: BackupOptions = {}): Promise<BackupResult> {
    return this.untilClosed(options.signal, (engine, signal) =>
      backupDatabase(engine, destination, { ...options, signal }),
    );
  }

  /**
   * Checks every page, index and foreign key of the file, without keeping writers out. Files from
   * 4 MiB on are checked in a thread of their own. What an open transaction wrote is not seen.
   */
  integrityCheck(options: IntegrityOptions = {}): Promise<IntegrityReport> {
    return this.untilClosed(options.signal, (engine, signal) =>
      integrityCheck(engine, { ...options, signal }),
    );
  }

  /** Queue depths, lags, dead letters, locks, schedules and file sizes, of one moment. */
  stats(): DatabaseStats {
    return readStats(this.use());
  }

  /**
   * Deletes everything whose time is over: notifications, results, history, unique keys, message ids,
   * rate limits, expired locks and, where told to, dead letters and events. Most of it also goes by
   * itself while the parts are used; call this once a day for what nobody uses any more.
   *
   * @throws `INVALID_ARGUMENT`, `BUSY`, `CLOSED`
   * @example
   * ```ts
   * db.prune({ deadLetterSeconds: 30 * 86_400, streams: { audit: { maxAgeSeconds: 90 * 86_400 } } });
   * ```
   */
  prune(options: PruneOptions = {}): PruneResult {
    const engine = this.use();
    return prune(engine, engine.notifications, options);
  }

  /**
   * Moves the write-ahead log into the database file. It also happens by itself; call it with
   * `"truncate"` before you copy or archive the files of a closed database.
   *
   * @throws `TRANSACTION_STATE` inside a transaction
   */
  checkpoint(mode: CheckpointMode = "passive"): CheckpointResult {
    return checkpoint(this.use(), mode);
  }

  /**
   * Examines the database: damage, drifted schema, lost claims, stuck consumers, overdue schedules, a
   * log that does not shrink, clocks that disagree. Every finding says what to do.
   *
   * @example
   * ```ts
   * const { healthy, findings } = await db.doctor();
   * if (!healthy) for (const { message, advice } of findings) process.stderr.write(`${message}. ${advice}\n`);
   * ```
   */
  async doctor(options: DoctorOptions = {}): Promise<DoctorReport> {
    const { signal } = options;
    const integrity =
      options.integrity === false
        ? undefined
        : await this.integrityCheck(signal === undefined ? {} : { signal });
    return examine(this.use(), options, integrity);
  }
}
