import { requireNumber } from "../core/names.ts";
import type { StandardSchemaV1 } from "../core/standard-schema.ts";
import { HonkerError } from "../errors.ts";
import { type Backoff, DEFAULT_BACKOFF, requireBackoff } from "./backoff.ts";

/** How much is kept of what happened to a queue's jobs; both limits apply. */
export interface HistoryRetention {
  /** Seconds since the entry was written, default 604,800 (7 days). */
  readonly maxAgeSeconds?: number;
  /** Entries of the queue, default 50,000; one per job that ends and per attempt that fails. */
  readonly maxCount?: number;
}

/** Options of `db.queue(name, options)`. All but `schema` and `upcast` are the same for every payload type. */
export interface QueueOptions<I = unknown, O = I> {
  /**
   * Seconds a claim lasts, default 300: how long a job of a killed worker waits until another one gets
   * it. `work()` renews claims by itself; with `claim()` raise this above the longest job.
   */
  readonly visibilityTimeoutSeconds?: number;
  /** Upstream's name of `visibilityTimeoutSeconds`. */
  readonly visibilityTimeoutS?: number;
  /** Attempts before a job becomes a dead letter, default 3. `enqueue` can set it per job. */
  readonly maxAttempts?: number;
  /** Wait before a retry, default exponential from 1 s to an hour. `enqueue` can set it per job. */
  readonly backoff?: Backoff;
  /**
   * How many jobs of one `key` may run at a time, exact over all processes; default no limit. All
   * workers of the queue must be given the same number. Honker's own claims do not know it.
   */
  readonly concurrencyPerKey?: number;
  /**
   * Default false. True: jobs of one `key` run one by one in the order they were enqueued, whatever
   * their priorities; a failed job is retried before the next one of its key starts.
   */
  readonly strictOrderPerKey?: boolean;
  /** How long the history of jobs is kept; `false` keeps none, which saves 10 to 20 % of the CPU time of a job. */
  readonly historyRetention?: HistoryRetention | false;
  /** Seconds the result of a job is kept, default 86,400 (a day). */
  readonly resultTtlSeconds?: number;
  /**
   * Any validator that implements Standard Schema version 1 (zod, valibot, arktype, …), checked when a
   * job is enqueued and again when it is claimed. It must answer synchronously.
   */
  readonly schema?: StandardSchemaV1<I, O>;
  /** Turns the payload of an older release into today's, before `schema` checks a claimed job. */
  readonly upcast?: (payload: unknown) => unknown;
}

/** Where a unique key is looked for; see the decision table in docs/architecture/queues.md. */
export type UniqueScope = "pending" | "pending-or-running" | { readonly windowSeconds: number };

/** What happens to a job whose unique key is taken. */
export type OnUniqueConflict = "keep" | "replace" | "postpone";

/** Makes a job the only one of its key in its queue. */
export interface UniqueOptions {
  readonly key: string;
  /**
   * Default `"pending-or-running"`. `"pending"`: a running job does not count, so that a change made
   * while it runs is worked on again. A window: nothing for so many seconds after the first, whatever
   * became of it.
   */
  readonly scope?: UniqueScope;
  /**
   * Default `"keep"`: the first job stays as it is. `"replace"`: a waiting one gets the new payload and
   * options, and its old run time (throttle). `"postpone"`: the run time too (debounce).
   */
  readonly onConflict?: OnUniqueConflict;
}

/** Options of one job. */
export interface EnqueueOptions {
  /** Higher runs first, default 0. Whole number. */
  readonly priority?: number;
  /** Seconds until the job may run, default 0; fractions count. */
  readonly delaySeconds?: number;
  /** Upstream's name of `delaySeconds`. */
  readonly delay?: number | null;
  /** Milliseconds until the job may run, default 0. */
  readonly delayMs?: number;
  /** When the job may run: a Date, or seconds since 1970. Default now. */
  readonly runAt?: Date | number | null;
  /** Seconds after which the job becomes a dead letter if it waits, new or for a retry. Default never. */
  readonly expiresSeconds?: number;
  /** Upstream's name of `expiresSeconds`. */
  readonly expires?: number | null;
  /** Attempts before the job becomes a dead letter, default the queue's. */
  readonly maxAttempts?: number;
  /** Jobs of one key share `concurrencyPerKey` and `strictOrderPerKey`. Default none. */
  readonly key?: string;
  /** Makes the job the only one of its key. Default none. */
  readonly unique?: UniqueOptions;
  /** Wait before a retry, default the queue's. Stored with the job, so not a function. */
  readonly backoff?: Exclude<Backoff, (...parameters: never[]) => unknown>;
  /** What travels with the job beside its payload: trace ids, tenant. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Options of a job that failed for good before it came here. */
export interface DeadJobOptions extends EnqueueOptions {
  /** Why it failed. */
  readonly error: string;
  /** How often it was tried, default 1. */
  readonly attempts?: number;
}

/** Queue options with every default filled in. */
export interface QueueSettings {
  readonly visibilityTimeoutSeconds: number;
  readonly maxAttempts: number;
  readonly backoff: Backoff;
  /** Infinity: no limit. */
  readonly concurrencyPerKey: number;
  readonly strictOrderPerKey: boolean;
  readonly history: Required<HistoryRetention> | undefined;
  readonly resultTtlSeconds: number;
}

const WHOLE = { min: 1, max: 2_147_483_647, integer: true } as const;

/** Checks options and fills in defaults. @throws `INVALID_ARGUMENT` */
export function resolveQueueOptions(options: QueueOptions<never, unknown>): QueueSettings {
  const {
    visibilityTimeoutSeconds = options.visibilityTimeoutS ?? 300,
    maxAttempts = 3,
    backoff = DEFAULT_BACKOFF,
    strictOrderPerKey = false,
    concurrencyPerKey = strictOrderPerKey ? 1 : Number.POSITIVE_INFINITY,
    resultTtlSeconds = 86_400,
  } = options;
  requireNumber(visibilityTimeoutSeconds, "visibilityTimeoutSeconds", WHOLE);
  requireNumber(maxAttempts, "maxAttempts", WHOLE);
  requireBackoff(backoff, "backoff");
  requireNumber(resultTtlSeconds, "resultTtlSeconds", WHOLE);
  if (concurrencyPerKey !== Number.POSITIVE_INFINITY) {
    requireNumber(concurrencyPerKey, "concurrencyPerKey", WHOLE);
  }
  if (strictOrderPerKey && concurrencyPerKey !== 1) {
    throw new HonkerError(
      "INVALID_ARGUMENT",
      `strictOrderPerKey runs one job of a key at a time, so concurrencyPerKey cannot be ${concurrencyPerKey}`,
      { hint: "Leave concurrencyPerKey out" },
    );
  }
  requireValidator(options);
  return {
    visibilityTimeoutSeconds,
    maxAttempts,
    backoff,
    concurrencyPerKey,
    strictOrderPerKey,
    history: resolveRetention(options.historyRetention),
    resultTtlSeconds,
  };
}

function resolveRetention(
  retention: HistoryRetention | false = {},
): Required<HistoryRetention> | undefined {
  if (retention === false) return undefined;
  const { maxAgeSeconds = 604_800, maxCount = 50_000 } = retention;
  requireNumber(maxAgeSeconds, "historyRetention.maxAgeSeconds", { min: 1 });
  requireNumber(maxCount, "historyRetention.maxCount", { min: 1, integer: true });
  return { maxAgeSeconds, maxCount };
}

function requireValidator({ schema, upcast }: QueueOptions<never, unknown>): void {
  if (schema !== undefined && typeof schema?.["~standard"]?.validate !== "function") {
    throw new HonkerError(
      "INVALID_ARGUMENT",
      "schema is not a validator: it has no ~standard.validate function",
      { hint: "Pass a schema of a library that implements https://standardschema.dev" },
    );
  }
  if (upcast !== undefined && typeof upcast !== "function") {
    throw new HonkerError("INVALID_ARGUMENT", `upcast must be a function, got ${typeof upcast}`);
  }
}
