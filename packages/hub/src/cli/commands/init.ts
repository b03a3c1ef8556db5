import { mkdirSync } from "node:fs";
import {
  accounts,
  createAccount,
  createApiKey,
  createOrganization,
  type SystemDatabase,
} from "@alkdev/storage/sqlite";
import { eq } from "drizzle-orm";
import { HubError } from "../../errors.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

interface InitOptions {
  readonly email: string;
  readonly org?: string;
  readonly orgName?: string;
}

/** `alkdev init` */
export const defineInit: DefineCommand = (command, shell) => {
  command
    .description("make a data folder with an administrator, whose key is shown once")
    .option("--email <email>", "address of the administrator", "admin@localhost")
    .option("--org <slug>", "also make an organisation of this slug, with its tenant")
    .option("--org-name <name>", "name of that organisation (default: its slug)")
    .action(shell.action<InitOptions>(init));
};

function init({ data, out }: DataRun, { email, org, orgName = org }: InitOptions): void {
  mkdirSync(data.path, { recursive: true, mode: 0o700 });
  const system = data.create();
  requireNew(system, data.path);
  // one commit: a killed init leaves nothing half made, and can be run again
  const made = system.transaction(() => {
    const { id: ownerId } = createAccount(system, {
      email,
      displayName: "Administrator",
      accessLevel: "admin",
    });
    const key = createApiKey(system, { ownerId, name: "made by alkdev init" });
    const organization =
      org === undefined
        ? null
        : createOrganization(system, { slug: org, name: orgName ?? org, ownerId });
    return { account: { id: ownerId, email }, key, organization };
  });
  const { account, key, organization } = made;
  if (organization !== null) data.tenants.create(organization.id);
  out.result(
    {
      data: data.path,
      account,
      key,
      org: organization === null ? null : { id: organization.id, slug: organization.slug },
    },
    (made) =>
      [
        out.fields({
          data: made.data,
          account: made.account.email,
          ...(made.org === null ? {} : { org: made.org.slug }),
          key: made.key.key,
        }),
        "",
        "The key is not shown again. Keep it, for example as ALKDEV_KEY, and start the hub:",
        "  alkdev hub",
      ].join("\n"),
  );
}

function requireNew(system: SystemDatabase, path: string): void {
  const admin = system.select().from(accounts).where(eq(accounts.accessLevel, "admin")).get();
  if (admin === undefined) return;
  throw new HubError("ALREADY_EXISTS", `"${path}" has an administrator already: ${admin.email}`, {
    hint: "Make another key with alkdev key create",
    details: { path, accountId: admin.id },
  });
}
