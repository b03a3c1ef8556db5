import type { Job, JobContext } from "@alkdev/honker";
import type { PayloadOf, systemCatalog } from "../../../catalog/index.ts";
import type { SystemDatabase } from "../../client.ts";
import type { TenantManager } from "../../tenants/tenant-manager.ts";
import { deactivateAccount } from "../deactivate-account.ts";
import { transferOrganization } from "../organizations.ts";
import { orFail } from "./or-fail.ts";

/** Payload of the queue `account-maintenance`. */
export type AccountMaintenance = PayloadOf<typeof systemCatalog.queues, "account-maintenance">;

/**
 * Handler of the queue `account-maintenance`: deactivates an account, or hands over an organisation. The
 * effect and the end of the job are one commit. A job that cannot succeed is a dead letter at once.
 *
 * @param tenants suspends the tenants of what a deactivated account owns; without it they go on
 */
export function createAccountMaintenanceHandler(
  system: SystemDatabase,
  tenants?: TenantManager,
): (job: Job<AccountMaintenance>, context: JobContext) => void {
  return (job, { complete }) => {
    const { payload } = job;
    orFail(job, () => {
      complete(() => {
        if (payload.task === "deactivate-account") {
          const how = tenants === undefined ? {} : { tenants };
          return deactivateAccount(system, payload.accountId, how);
        }
        const { orgId, newOwnerId } = payload;
        transferOrganization(system, { orgId, newOwnerId });
        return { orgId, newOwnerId };
      });
    });
  };
}
