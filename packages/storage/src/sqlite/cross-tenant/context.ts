import type { Backoff, Clock } from "@alkdev/honker";
import type { TenantManager } from "../tenants/tenant-manager.ts";

/** What the parts of cross-tenant delegations share. */
export interface CrossTenantContext {
  readonly tenants: TenantManager;
  readonly clock: Clock;
  /** How often an application is tried before it is given up. */
  readonly maxAttempts: number;
  readonly backoff: Exclude<Backoff, (...parameters: never[]) => unknown>;
}
