import { HonkerError } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { TenantDatabase } from "../client.ts";
import type { CrossTenantContext } from "./context.ts";
import { describeError, noTenant } from "./reasons.ts";

/** What another organisation's file says, or why it says nothing. */
export type Answer<T> =
  | { readonly state: "gone" | "unreachable"; readonly reason: string }
  | { readonly state: "answered"; readonly answer: T };

/**
 * Reads another organisation's file. One that is suspended, damaged or locked is unreachable: it stops nobody
 * from being asked about the next delegation.
 */
export function askOther<T>(
  { tenants }: CrossTenantContext,
  orgId: string,
  read: (db: TenantDatabase) => T,
): Answer<T> {
  if (tenants.get(orgId) === null) return { state: "gone", reason: noTenant(orgId) };
  try {
    using handle = tenants.open(orgId);
    return { state: "answered", answer: read(handle.db) };
  } catch (error) {
    const isKnown = error instanceof StorageError || error instanceof HonkerError;
    if (!isKnown || error.code === "CLOSED") throw error;
    return { state: "unreachable", reason: describeError(error) };
  }
}
