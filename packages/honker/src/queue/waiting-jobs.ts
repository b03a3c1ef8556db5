/**
 * SQL that counts waiting jobs per queue: `queue, jobs, due, first_at_ms`, the last being when the first of
 * them is due, in milliseconds since 1970. `?1` is now in milliseconds. Reads the claim index alone.
 *
 * @param filter a condition on the columns of the jobs
 */
export function waitingJobs(filter = "TRUE"): string {
  return `SELECT queue, count(*) AS jobs, sum(alk_ready_at_ms <= ?1) AS due,
      min(alk_ready_at_ms) AS first_at_ms
    FROM _honker_live
    WHERE claim_expires_at IS NULL AND ${filter} GROUP BY queue`;
}
