import type { TenantCopyOptions } from "@alkdev/storage/sqlite";
import { type Command, Option } from "commander";
import { requireOrg } from "../places/require-org.ts";
import type { DataRun, Shell } from "../shell.ts";
import { shownTenant } from "./shown-tenant.ts";

type CopyOptions = Pick<TenantCopyOptions, "work">;

/** Adds `alkdev tenant clone`, `export`, `import` and `restore`. */
export function addTenantCopies(tenant: Command, shell: Shell): void {
  tenant
    .command("clone <from> <to>")
    .description("make the tenant of an organisation from what another one holds")
    .addOption(workOption("drop"))
    .action(shell.action<CopyOptions, [string, string]>(clone));
  tenant
    .command("export <org> <file>")
    .description("write the whole tenant into one verified file, while it is in use")
    .action(shell.action<object, [string, string]>(exportTo));
  tenant
    .command("import <org> <file>")
    .description("make the tenant of an organisation from an exported file that you trust")
    .addOption(workOption("keep"))
    .action(shell.action<CopyOptions, [string, string]>(importFrom));
  tenant
    .command("restore <org> <file>")
    .description("put an exported file in the place of an archived tenant")
    .addOption(workOption("keep"))
    .action(shell.action<CopyOptions, [string, string]>(restore));
}

async function clone(
  { data, out, signal }: DataRun,
  options: CopyOptions,
  ...orgs: [string, string]
) {
  const [from, to] = orgs.map((org) => requireOrg(data.system, org));
  if (from === undefined || to === undefined) return;
  const tenant = await data.tenants.clone(from.id, to.id, { ...options, signal });
  out.result(
    shownTenant(tenant, to.slug),
    () => `${to.slug} has a copy of the tenant of ${from.slug}.`,
  );
}

async function exportTo(
  { data, out, signal }: DataRun,
  _: object,
  ...[org, path]: [string, string]
) {
  const { id, slug } = requireOrg(data.system, org);
  const exported = await data.tenants.exportTo(id, path, { signal });
  out.result({ org: slug, ...exported }, (fields) => out.fields(fields));
}

async function importFrom(
  { data, out, signal }: DataRun,
  options: CopyOptions,
  ...[org, path]: [string, string]
) {
  const { id, slug } = requireOrg(data.system, org);
  const tenant = await data.tenants.importFrom(path, id, { ...options, signal });
  out.result(shownTenant(tenant, slug), () => `The tenant of ${slug} was made from ${path}.`);
}

async function restore(run: DataRun, options: CopyOptions, ...[org, path]: [string, string]) {
  const { data, out, signal } = run;
  const { id, slug } = requireOrg(data.system, org);
  await run.confirm({
    what: `what the tenant of ${slug} holds is replaced by ${path}`,
    word: slug,
  });
  const tenant = await data.tenants.restore(id, path, { ...options, signal });
  out.result(
    shownTenant(tenant, slug),
    ({ state }) => `The tenant of ${slug} is restored, and ${state}.`,
  );
}

function workOption(normal: "keep" | "drop"): Option {
  return new Option("--work <what>", "what becomes of its jobs, schedules and locks")
    .choices(["keep", "drop"])
    .default(normal);
}
