import { StorageError } from "../../errors.ts";

/** Limits of a tenant; what is left out is not limited. */
export interface TenantQuota {
  /**
   * Size of the tenant's file in bytes, rounded down to whole pages; the write-ahead log beside it is
   * not counted. An empty file has about 330 kB.
   */
  readonly maxBytes?: number;
  /** Rows of `graphs`. */
  readonly maxGraphs?: number;
  /** Rows of `nodes`, over all graphs. */
  readonly maxNodes?: number;
}

const LIMITS = ["maxBytes", "maxGraphs", "maxNodes"] as const;

/**
 * A quota with the known limits in one order, so that equal ones have equal JSON; `null` when it limits
 * nothing.
 *
 * @throws {@link StorageError} `INVALID_ARGUMENT`
 */
export function checkedQuota(quota: unknown): TenantQuota | null {
  if (quota === null) return null;
  if (typeof quota !== "object" || Array.isArray(quota)) {
    throw invalid(
      `a quota must be an object or null, got ${Array.isArray(quota) ? "an array" : typeof quota}`,
    );
  }
  for (const name of Object.keys(quota as object)) {
    if (LIMITS.some((limit) => limit === name)) continue;
    throw invalid(`a quota has no limit "${name}"; known are ${LIMITS.join(", ")}`);
  }
  const checked: { [limit in (typeof LIMITS)[number]]?: number } = {};
  for (const limit of LIMITS) {
    const value = (quota as TenantQuota)[limit];
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value < 0) {
      throw invalid(`${limit} of a quota must be a whole number from 0, got ${String(value)}`);
    }
    checked[limit] = value;
  }
  return Object.keys(checked).length === 0 ? null : checked;
}

function invalid(message: string): StorageError {
  return new StorageError("INVALID_ARGUMENT", message);
}
