import { StorageError } from "../../errors.ts";
import { requireWhole } from "../graph-store/reachable.ts";

/** Options of `createCallJournal`. */
export interface CallJournalOptions {
  /** Name of this process for people who look at the locks, such as `hub-1`. Need not be unique. */
  readonly owner: string;
  /**
   * Bytes of JSON, default 16,384: an input, output or error details that are larger are left out of the
   * event, which names them in `leftOut`. Outcomes are remembered up to 1 MiB all the same.
   */
  readonly maxRecordedBytes?: number;
  /** Milliseconds that events of queries and subscriptions may wait for others, default 10. */
  readonly flushMs?: number;
  /** The time in milliseconds since 1970, default `Date.now`. That of the clock the file was opened with. */
  readonly now?: () => number;
  /** What fails in the background. Default: reported as a process warning. */
  readonly onError?: (error: unknown, context: string) => void;
}

/** {@link CallJournalOptions} checked, with every default filled in. */
export type JournalSettings = Required<CallJournalOptions>;

/** @throws StorageError `INVALID_ARGUMENT` */
export function resolveJournalOptions(options: CallJournalOptions): JournalSettings {
  const {
    owner,
    maxRecordedBytes = 16_384,
    flushMs = 10,
    now = Date.now,
    onError = warn,
  } = options;
  if (typeof owner !== "string" || owner === "") {
    throw new StorageError("INVALID_ARGUMENT", "owner must be a text that is not empty");
  }
  requireWhole("maxRecordedBytes", maxRecordedBytes, [0]);
  requireWhole("flushMs", flushMs, [0]);
  return {
    owner,
    maxRecordedBytes,
    flushMs,
    now: () => Math.floor(now()),
    onError: (error, context) => {
      try {
        onError(error, context);
      } catch (thrown) {
        warn(thrown, context);
      }
    },
  };
}

function warn(error: unknown, context: string): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`${context}: ${reason}`, { type: "StorageWarning" });
}
