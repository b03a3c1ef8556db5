/** What `offer` did: made a new job, or kept, replaced or postponed the one that holds the unique key. */
export type EnqueueOutcome = "created" | "kept" | "replaced" | "postponed";

/** The job that a payload ended up in. */
export interface OfferedJob {
  readonly id: number;
  readonly outcome: EnqueueOutcome;
}
