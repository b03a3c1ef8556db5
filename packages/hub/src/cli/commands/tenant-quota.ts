import type { TenantQuota } from "@alkdev/storage/sqlite";
import type { Command } from "commander";
import { HubError } from "../../errors.ts";
import { bytes, whole } from "../arguments/whole.ts";
import { requireOrg } from "../places/require-org.ts";
import type { DataRun, Shell } from "../shell.ts";

interface QuotaOptions extends TenantQuota {
  readonly none?: boolean;
}

/** Adds `alkdev tenant quota`. */
export function addTenantQuota(tenant: Command, shell: Shell): void {
  tenant
    .command("quota <org>")
    .description("show what a tenant may hold, or set it; what is not given is not limited")
    .option("--max-bytes <size>", "size of its file, such as 2GB", bytes)
    .option("--max-graphs <count>", "graphs", whole)
    .option("--max-nodes <count>", "nodes over all graphs", whole)
    .option("--none", "no limits any more")
    .action(shell.action<QuotaOptions, [string]>(quota));
}

function quota({ data, out }: DataRun, { none, ...limits }: QuotaOptions, org: string): void {
  const { id: orgId, slug } = requireOrg(data.system, org);
  const isGiven = Object.keys(limits).length > 0;
  if (none === true && isGiven) {
    throw new HubError("INVALID_ARGUMENT", "--none and limits exclude each other");
  }
  const changed = isGiven ? limits : null;
  const tenant =
    isGiven || none === true ? data.tenants.setQuota(orgId, changed) : data.tenants.get(orgId);
  const held = tenant?.quota ?? null;
  out.result({ org: slug, orgId, quota: held }, () =>
    held === null ? `The tenant of ${slug} has no limits.` : out.fields(held),
  );
}
