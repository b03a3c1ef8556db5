import type { EnqueueOptions, StoredBackoff } from "@alkdev/honker";

/** A job of BullMQ as it is stored. */
export interface BullMqJob {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  readonly opts: Readonly<Record<string, unknown>>;
  /** Attempts that were made. */
  readonly attemptsMade: number;
  /** Lower runs first, 0 before all of them. */
  readonly priority: number;
  /** Milliseconds since 1970, when it was added. */
  readonly timestamp: number;
  readonly failedReason: string | null;
  /** Whether a repeatable job or job scheduler made it. */
  readonly isScheduled: boolean;
  /** Whether another job waits for it. */
  readonly hasParent: boolean;
}

/**
 * A job from the fields of its hash; null when it is gone.
 *
 * @throws SyntaxError when data or options are no JSON
 */
export function bullMqJob(id: string, hash: Readonly<Record<string, string>>): BullMqJob | null {
  if (hash["name"] === undefined) return null;
  const opts = JSON.parse(hash["opts"] || "{}") as Record<string, unknown>;
  return {
    id,
    name: hash["name"],
    data: JSON.parse(hash["data"] || "{}"),
    opts,
    attemptsMade: Number(hash["atm"] ?? hash["attemptsMade"] ?? 0),
    priority: Number(hash["priority"] ?? 0),
    timestamp: Number(hash["timestamp"] ?? 0),
    failedReason: hash["failedReason"] ?? null,
    isScheduled: hash["rjk"] !== undefined || id.startsWith("repeat:"),
    hasParent: hash["parentKey"] !== undefined,
  };
}

/** How long a job is remembered as taken: ten years. */
const REMEMBERED_SECONDS = 315_360_000;

/** Options under which a job waits here. */
export function enqueueOptions(job: BullMqJob, source: string): EnqueueOptions {
  const { id, name, opts, attemptsMade, priority } = job;
  const attempts = wholeOr(opts["attempts"], 1);
  return {
    // higher runs first here
    priority: priority === 0 ? 0 : -priority,
    maxAttempts: Math.max(1, attempts - attemptsMade),
    backoff: backoffOf(opts["backoff"]),
    headers: { "bullmq-id": id, "bullmq-name": name },
    unique: { key: `${source}:${id}`, scope: { windowSeconds: REMEMBERED_SECONDS } },
  };
}

/** How many attempts a job has in all. */
export function attemptsOf({ opts }: BullMqJob): number {
  return Math.max(1, wholeOr(opts["attempts"], 1));
}

/** BullMQ retries at once unless told otherwise, and without jitter. */
function backoffOf(given: unknown): StoredBackoff {
  if (typeof given === "number") return { kind: "fixed", delayMs: clamped(given) };
  const { type, delay, jitter } = (given ?? {}) as Readonly<Record<string, unknown>>;
  const delayMs = clamped(Number(delay ?? 0));
  if (type !== "exponential") return { kind: "fixed", delayMs };
  const share = Math.min(Math.max(Number(jitter ?? 0) || 0, 0), 1);
  return { kind: "exponential", baseMs: delayMs, maxMs: LONGEST_MS, jitter: share };
}

const LONGEST_MS = 366 * 86_400_000;

function clamped(ms: number): number {
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LONGEST_MS) : 0;
}

function wholeOr(value: unknown, otherwise: number): number {
  return typeof value === "number" && Number.isInteger(value) ? value : otherwise;
}
