import { accounts, auditLogs } from "@alkdev/storage/sqlite";
import { and, desc, eq, lt } from "drizzle-orm";
import { positive } from "../arguments/whole.ts";
import { requireAccount } from "../places/require-account.ts";
import { requireOrg } from "../places/require-org.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

interface AuditOptions {
  readonly org?: string;
  readonly account?: string;
  readonly action?: string;
  readonly limit: number;
  readonly before?: string;
}

/** `alkdev audit` */
export const defineAudit: DefineCommand = (command, shell) => {
  command
    .option("--org <org>", "only what concerns this organisation")
    .option("--account <account>", "only what this account did")
    .option("--action <action>", "only this, such as api_key.revoked")
    .option("--limit <count>", "at most so many", positive, 50)
    .option("--before <id>", "those before this id")
    .action(shell.action<AuditOptions>(audit));
};

function audit({ data, out }: DataRun, options: AuditOptions): void {
  const { org, account, action, limit, before } = options;
  const { system } = data;
  const rows = system
    .select({
      id: auditLogs.id,
      at: auditLogs.createdAt,
      action: auditLogs.action,
      account: accounts.email,
      accountId: auditLogs.ownerId,
      credentialType: auditLogs.credentialType,
      credentialId: auditLogs.credentialId,
      orgId: auditLogs.orgId,
      details: auditLogs.details,
    })
    .from(auditLogs)
    .innerJoin(accounts, eq(accounts.id, auditLogs.ownerId))
    .where(
      and(
        org === undefined ? undefined : eq(auditLogs.orgId, requireOrg(system, org).id),
        account === undefined
          ? undefined
          : eq(auditLogs.ownerId, requireAccount(system, account).id),
        action === undefined ? undefined : eq(auditLogs.action, action),
        before === undefined ? undefined : lt(auditLogs.id, before),
      ),
    )
    .orderBy(desc(auditLogs.id))
    .limit(limit + 1)
    .all();
  const entries = rows.slice(0, limit);
  const cursor = rows.length > limit ? (entries.at(-1)?.id ?? null) : null;
  out.result({ entries, cursor }, () =>
    out.table(
      entries,
      [
        { header: "at", value: ({ at }) => at },
        { header: "action", value: (one) => one.action },
        { header: "account", value: (one) => one.account, shrinks: true },
        { header: "details", value: ({ details }) => details, shrinks: true },
      ],
      "There is nothing.",
    ),
  );
  if (cursor !== null) out.note(`More with --before ${cursor}`);
}
