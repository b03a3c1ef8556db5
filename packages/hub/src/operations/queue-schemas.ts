import type { DeadLetter, JobHistoryEntry, JobSnapshot, QueueCounts } from "@alkdev/honker";
import { type TUnsafe, Type } from "@sinclair/typebox";
import { Count, closed, Json, Moment, momentOf, nullable, textMap } from "./schemas.ts";

/** A queue, and how many jobs are in which state. */
export type QueueView = QueueCounts & { readonly queue: string };

/** {@link QueueView} as a schema. */
export const QueueSchema: TUnsafe<QueueView> = Type.Unsafe<QueueView>(
  closed({
    queue: Type.String(),
    pending: Count,
    ready: Count,
    delayed: Count,
    running: Count,
    dead: Count,
    oldestReadySeconds: nullable(Type.Number()),
    paused: Type.Boolean(),
  }),
);

/** A waiting or running job; its times are ISO 8601. */
export interface JobView
  extends Omit<JobSnapshot, "queue" | "runAt" | "claimExpiresAt" | "createdAt" | "expiresAt"> {
  readonly runAt: string;
  readonly claimExpiresAt: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

/** {@link JobView} as a schema. */
export const JobSchema: TUnsafe<JobView> = Type.Unsafe<JobView>(
  closed({
    id: Count,
    payload: Json,
    state: Type.Union([Type.Literal("pending"), Type.Literal("processing")]),
    priority: Type.Integer(),
    runAt: Moment,
    workerId: nullable(Type.String()),
    claimExpiresAt: nullable(Moment),
    attempts: Count,
    maxAttempts: Count,
    createdAt: Moment,
    expiresAt: nullable(Moment),
    key: nullable(Type.String()),
    uniqueKey: nullable(Type.String()),
    headers: textMap(),
    progress: Json,
  }),
);

/** A job as it travels. */
export function jobOf({ queue: _, ...job }: JobSnapshot): JobView {
  const { runAt, claimExpiresAt, createdAt, expiresAt } = job;
  return {
    ...job,
    runAt: momentOf(runAt),
    claimExpiresAt: claimExpiresAt === null ? null : momentOf(claimExpiresAt),
    createdAt: momentOf(createdAt),
    expiresAt: expiresAt === null ? null : momentOf(expiresAt),
  };
}

/** What happened to a job at one time; its times are ISO 8601. */
export interface HistoryView
  extends Pick<JobHistoryEntry, "outcome" | "attempt" | "workerId" | "error"> {
  readonly startedAt: string | null;
  readonly endedAt: string;
}

/** {@link HistoryView} as a schema. */
export const HistorySchema: TUnsafe<HistoryView> = Type.Unsafe<HistoryView>(
  closed({
    outcome: Type.String(),
    attempt: Count,
    workerId: nullable(Type.String()),
    startedAt: nullable(Moment),
    endedAt: Moment,
    error: nullable(Type.String()),
  }),
);

/** An entry of a job's history as it travels. */
export function historyOf(entry: JobHistoryEntry): HistoryView {
  const { outcome, attempt, workerId, startedAtMs, endedAtMs, error } = entry;
  return {
    outcome,
    attempt,
    workerId,
    startedAt: startedAtMs === null ? null : momentOf(startedAtMs / 1_000),
    endedAt: momentOf(endedAtMs / 1_000),
    error,
  };
}

/** A job that failed for good; its times are ISO 8601. */
export interface DeadLetterView extends Omit<DeadLetter, "queue" | "createdAt" | "diedAt"> {
  readonly createdAt: string;
  readonly diedAt: string;
}

/** {@link DeadLetterView} as a schema. */
export const DeadLetterSchema: TUnsafe<DeadLetterView> = Type.Unsafe<DeadLetterView>(
  closed({
    id: Count,
    payload: Json,
    priority: Type.Integer(),
    attempts: Count,
    maxAttempts: Count,
    error: nullable(Type.String()),
    reason: Type.String(),
    key: nullable(Type.String()),
    createdAt: Moment,
    diedAt: Moment,
  }),
);

/** A dead letter as it travels. */
export function deadLetterOf({ queue: _, ...letter }: DeadLetter): DeadLetterView {
  const { createdAt, diedAt } = letter;
  return { ...letter, createdAt: momentOf(createdAt), diedAt: momentOf(diedAt) };
}
