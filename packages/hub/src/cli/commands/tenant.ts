import { TENANT_STATES, type TenantState } from "@alkdev/storage/sqlite";
import { Option } from "commander";
import { durationSeconds } from "../arguments/duration.ts";
import { positive } from "../arguments/whole.ts";
import { requireOrg } from "../places/require-org.ts";
import type { DataRun, DefineCommand } from "../shell.ts";
import { shownTenant } from "./shown-tenant.ts";
import { addTenantCopies } from "./tenant-copies.ts";
import { addTenantQuota } from "./tenant-quota.ts";

interface ListOptions {
  readonly state?: TenantState;
  readonly limit: number;
  readonly after?: string;
}

interface ArchiveOptions {
  readonly wait: number;
}

/** `alkdev tenant` */
export const defineTenant: DefineCommand = (tenant, shell) => {
  tenant
    .command("create <org>")
    .description("make the tenant of an organisation")
    .action(shell.action<object, [string]>(create));
  tenant
    .command("list")
    .description("list tenants")
    .addOption(new Option("--state <state>", "only those in this state").choices(TENANT_STATES))
    .option("--limit <count>", "at most so many", positive, 100)
    .option("--after <id>", "those after this id of an organisation")
    .action(shell.action<ListOptions>(list));
  tenant
    .command("stats <org>")
    .description("how much a tenant holds; counts its rows")
    .action(shell.action<object, [string]>(stats));
  tenant
    .command("suspend <org>")
    .description("refuse the tenant to everybody for now")
    .action(shell.action<object, [string]>((run, _, org) => change(run, org, "suspend")));
  tenant
    .command("resume <org>")
    .description("end a suspension")
    .action(shell.action<object, [string]>((run, _, org) => change(run, org, "resume")));
  tenant
    .command("archive <org>")
    .description("put its file away once nobody has it open")
    .option("--wait <duration>", "how long to wait for those who have", durationSeconds, 5)
    .action(shell.action<ArchiveOptions, [string]>(archive));
  tenant
    .command("unarchive <org>")
    .description("bring an archived tenant back")
    .action(shell.action<object, [string]>((run, _, org) => change(run, org, "unarchive")));
  tenant
    .command("delete <org>")
    .description("refuse it to everybody, and let it be removed when its time of grace is over")
    .action(shell.action<object, [string]>(remove));
  tenant
    .command("undelete <org>")
    .description("bring a deleted tenant back within its time of grace")
    .action(shell.action<object, [string]>((run, _, org) => change(run, org, "undelete")));
  tenant
    .command("purge")
    .description("remove the deleted tenants whose time of grace is over")
    .action(shell.action(purge));
  addTenantQuota(tenant, shell);
  addTenantCopies(tenant, shell);
};

function create({ data, out }: DataRun, _: object, org: string): void {
  const { id, slug } = requireOrg(data.system, org);
  out.result(shownTenant(data.tenants.create(id), slug), (tenant) => out.fields(tenant));
}

function list({ data, out }: DataRun, { state, limit, after }: ListOptions): void {
  const rows = data.tenants.list({
    limit: limit + 1,
    ...(state === undefined ? {} : { state }),
    ...(after === undefined ? {} : { after }),
  });
  const items = rows
    .slice(0, limit)
    .map((tenant) => shownTenant(tenant, requireOrg(data.system, tenant.orgId).slug));
  const cursor = rows.length > limit ? (items.at(-1)?.orgId ?? null) : null;
  out.result({ tenants: items, cursor }, () =>
    out.table(
      items,
      [
        { header: "org", value: ({ org }) => org, shrinks: true },
        { header: "state", value: ({ state }) => state },
        { header: "running", value: ({ operation }) => operation },
        { header: "purge after", value: ({ purgeAfter }) => purgeAfter },
        { header: "id", value: ({ orgId }) => orgId },
      ],
      "There are no tenants.",
    ),
  );
  if (cursor !== null) out.note(`More with --after ${cursor}`);
}

function stats({ data, out }: DataRun, _: object, org: string): void {
  const { id, slug } = requireOrg(data.system, org);
  out.result({ org: slug, ...data.tenants.stats(id) }, ({ rows, ...held }) =>
    out.fields({ ...held, ...rows }),
  );
}

function change(
  { data, out }: DataRun,
  org: string,
  name: "suspend" | "resume" | "unarchive" | "undelete",
): void {
  const { id, slug } = requireOrg(data.system, org);
  const tenant = data.tenants[name](id);
  out.result(shownTenant(tenant, slug), ({ state }) => `The tenant of ${slug} is ${state}.`);
}

async function archive({ data, out, signal }: DataRun, { wait }: ArchiveOptions, org: string) {
  const { id, slug } = requireOrg(data.system, org);
  const tenant = await data.tenants.archive(id, { waitMs: wait * 1_000, signal });
  out.result(shownTenant(tenant, slug), ({ state }) => `The tenant of ${slug} is ${state}.`);
}

async function remove(run: DataRun, _: object, org: string): Promise<void> {
  const { data, out } = run;
  const { id, slug } = requireOrg(data.system, org);
  await run.confirm({
    what: `the tenant of ${slug} is refused to everybody, later removed`,
    word: slug,
  });
  const tenant = data.tenants.delete(id, { confirm: slug });
  out.result(shownTenant(tenant, slug), ({ purgeAfter }) => {
    const until = purgeAfter?.toISOString() ?? "it is purged";
    return `The tenant of ${slug} is deleted. alkdev tenant undelete ${slug} brings it back until ${until}.`;
  });
}

async function purge(run: DataRun): Promise<void> {
  const { data, out } = run;
  await run.confirm({
    what: "tenants whose time of grace is over are removed for good",
    word: "purge",
  });
  out.result(data.tenants.purgeDue(), ({ purged, postponed }) => {
    const later =
      postponed.length === 0 ? "" : ` In use, and left to the next time: ${postponed.join(", ")}.`;
    return `Removed ${purged.length} tenants.${later}`;
  });
}
