import { requireName, requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import type { SqlInput } from "../sqlite/connection.ts";
import { requireBackoff } from "./backoff.ts";
import type { EnqueueOptions, QueueSettings, UniqueOptions } from "./queue-options.ts";
import { requestedRunTime } from "./run-time.ts";

/** Checked options of a job, as they are stored. */
export interface NewJob {
  readonly priority: number;
  readonly runAt: number;
  readonly runAtMs: number | null;
  readonly maxAttempts: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly key: string | null;
  readonly unique: UniqueOptions | undefined;
  readonly backoff: string | null;
  readonly headers: string | null;
}

/** Checks the options of a job. @throws `INVALID_ARGUMENT` */
export function newJob(options: EnqueueOptions, settings: QueueSettings, nowMs: number): NewJob {
  const { priority = 0, maxAttempts = settings.maxAttempts, key, unique, backoff } = options;
  const safe = Number.MAX_SAFE_INTEGER;
  requireNumber(priority, "priority", { min: -safe, max: safe, integer: true });
  requireNumber(maxAttempts, "maxAttempts", { min: 1, max: 2_147_483_647, integer: true });
  if (key !== undefined) requireName(key, "key");
  if (unique !== undefined) requireUnique(unique);
  if (backoff !== undefined) requireStored(backoff);
  return {
    priority,
    ...requestedRunTime(options, nowMs),
    maxAttempts,
    createdAt: Math.floor(nowMs / 1_000),
    expiresAt: expiry(options, nowMs),
    key: key ?? null,
    unique,
    backoff: backoff === undefined ? null : JSON.stringify(backoff),
    headers: headersText(options.headers),
  };
}

/** Columns that {@link storedValues} fills, in their order. */
export const STORED_COLUMNS =
  "priority, run_at, alk_run_at_ms, max_attempts, expires_at, alk_key, alk_backoff, alk_headers";

/** Values of {@link STORED_COLUMNS}. */
export function storedValues(job: NewJob): SqlInput[] {
  return [
    job.priority,
    job.runAt,
    job.runAtMs,
    job.maxAttempts,
    job.expiresAt,
    job.key,
    job.backoff,
    job.headers,
  ];
}

function expiry(options: EnqueueOptions, nowMs: number): number | null {
  const seconds = options.expiresSeconds ?? options.expires;
  if (seconds == null) return null;
  requireNumber(seconds, "expiresSeconds", { min: 0, max: 253_402_300_799 });
  return Math.ceil(nowMs / 1_000 + seconds);
}

function headersText(headers: EnqueueOptions["headers"]): string | null {
  if (headers === undefined) return null;
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    throw new HonkerError("INVALID_ARGUMENT", "headers must be an object of strings");
  }
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string") continue;
    throw new HonkerError(
      "INVALID_ARGUMENT",
      `header "${name}" must be a string, got ${typeof value}`,
    );
  }
  return JSON.stringify(headers);
}

function requireStored(backoff: unknown): void {
  if (typeof backoff === "function") {
    throw new HonkerError("INVALID_ARGUMENT", "the backoff of one job cannot be a function", {
      hint: "It is stored with the job: describe it, or give the function to the queue",
    });
  }
  requireBackoff(backoff as never, "backoff");
}

function requireUnique({ key, scope, onConflict = "keep" }: UniqueOptions): void {
  requireName(key, "unique.key");
  if (!["keep", "replace", "postpone"].includes(onConflict)) {
    throw new HonkerError(
      "INVALID_ARGUMENT",
      `unique.onConflict must be "keep", "replace" or "postpone", got ${JSON.stringify(onConflict)}`,
    );
  }
  if (scope === undefined || scope === "pending" || scope === "pending-or-running") return;
  if (typeof scope === "object" && scope !== null) {
    requireNumber(scope.windowSeconds, "unique.scope.windowSeconds", { min: 0.001 });
    return;
  }
  throw new HonkerError(
    "INVALID_ARGUMENT",
    `unique.scope must be "pending", "pending-or-running" or { windowSeconds }, got ${JSON.stringify(scope)}`,
  );
}
