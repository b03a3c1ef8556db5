import {
  accounts,
  createOrganization,
  organizations,
  type SelectOrganization,
  transferOrganization,
} from "@alkdev/storage/sqlite";
import { eq, gt } from "drizzle-orm";
import { positive } from "../arguments/whole.ts";
import { type ActorOptions, actorOf, withActor } from "../places/actor.ts";
import { requireAccount } from "../places/require-account.ts";
import { requireOrg } from "../places/require-org.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

interface CreateOptions extends ActorOptions {
  readonly owner: string;
  readonly name?: string;
  readonly tenant: boolean;
}

interface ListOptions {
  readonly limit: number;
  readonly after: string;
}

/** `alkdev org` */
export const defineOrg: DefineCommand = (org, shell) => {
  withActor(org.command("create <slug>"))
    .description("make an organisation, and its tenant")
    .requiredOption("--owner <account>", "id or email of the account that owns it")
    .option("--name <name>", "name shown to people (default: the slug)")
    .option("--no-tenant", "without a tenant")
    .action(shell.action<CreateOptions, [string]>(create));
  org
    .command("list")
    .description("list organisations, oldest first")
    .option("--limit <count>", "at most so many", positive, 100)
    .option("--after <id>", "those after this id", "")
    .action(shell.action<ListOptions>(list));
  org
    .command("show <org>")
    .description("show an organisation, by id or slug")
    .action(shell.action<object, [string]>(show));
  withActor(org.command("transfer <org> <account>"))
    .description("hand an organisation to another owner")
    .action(shell.action<ActorOptions, [string, string]>(transfer));
};

function create({ data, out }: DataRun, options: CreateOptions, slug: string): void {
  const { system } = data;
  const { owner, name = slug, tenant } = options;
  const made = createOrganization(system, {
    slug,
    name,
    ownerId: requireAccount(system, owner).id,
    ...actorOf(system, options),
  });
  if (tenant) data.tenants.create(made.id);
  out.result(shown(made, tenant ? "active" : null), (org) => out.fields(org));
}

function list({ data, out }: DataRun, { limit, after }: ListOptions): void {
  const { system, tenants } = data;
  const rows = system
    .select({ org: organizations, owner: accounts.email })
    .from(organizations)
    .innerJoin(accounts, eq(accounts.id, organizations.ownerId))
    .where(gt(organizations.id, after))
    .orderBy(organizations.id)
    .limit(limit + 1)
    .all();
  const items = rows.slice(0, limit).map(({ org, owner }) => {
    return { ...shown(org, tenants.get(org.id)?.state ?? null), owner };
  });
  const cursor = rows.length > limit ? (items.at(-1)?.id ?? null) : null;
  out.result({ orgs: items, cursor }, () =>
    out.table(
      items,
      [
        { header: "slug", value: ({ slug }) => slug, shrinks: true },
        { header: "name", value: ({ name }) => name, shrinks: true },
        { header: "owner", value: ({ owner }) => owner, shrinks: true },
        { header: "tenant", value: ({ tenant }) => tenant },
        { header: "id", value: ({ id }) => id },
      ],
      "There are no organisations.",
    ),
  );
  if (cursor !== null) out.note(`More with --after ${cursor}`);
}

function show({ data, out }: DataRun, _: object, idOrSlug: string): void {
  const org = requireOrg(data.system, idOrSlug);
  const tenant = data.tenants.get(org.id)?.state ?? null;
  out.result(shown(org, tenant), (fields) => out.fields(fields));
}

function transfer(
  { data, out }: DataRun,
  options: ActorOptions,
  ...[idOrSlug, account]: [string, string]
): void {
  const { system } = data;
  const { id: orgId, slug } = requireOrg(system, idOrSlug);
  const { id: newOwnerId, email } = requireAccount(system, account);
  const org = transferOrganization(system, { orgId, newOwnerId, ...actorOf(system, options) });
  out.result({ id: org.id, slug: org.slug, ownerId: org.ownerId }, () => {
    return `${slug} belongs to ${email} now; the owner before stays as an admin.`;
  });
}

/** An organisation as it is shown, with the state of its tenant. */
function shown(org: SelectOrganization, tenant: string | null) {
  const { id, slug, name, ownerId, createdAt } = org;
  return { id, slug, name, ownerId, tenant, createdAt };
}
