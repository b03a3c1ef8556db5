import { accounts, addMember, organizationMembers, removeMember } from "@alkdev/storage/sqlite";
import { Option } from "commander";
import { eq } from "drizzle-orm";
import { HubError } from "../../errors.ts";
import { type ActorOptions, actorOf, withActor } from "../places/actor.ts";
import { requireAccount } from "../places/require-account.ts";
import { requireOrg } from "../places/require-org.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

interface AddOptions extends ActorOptions {
  readonly level: "admin" | "member";
}

/** `alkdev member` */
export const defineMember: DefineCommand = (member, shell) => {
  withActor(member.command("add <org> <account>"))
    .description("make an account a member")
    .addOption(
      new Option("--level <level>", "what it may do")
        .choices(["admin", "member"])
        .default("member"),
    )
    .action(shell.action<AddOptions, [string, string]>(add));
  member
    .command("list <org>")
    .description("list the members of an organisation")
    .action(shell.action<object, [string]>(list));
  withActor(member.command("remove <org> <account>"))
    .description("end a membership")
    .action(shell.action<ActorOptions, [string, string]>(remove));
};

function add(
  { data, out }: DataRun,
  options: AddOptions,
  ...[org, account]: [string, string]
): void {
  const { system } = data;
  const { id: orgId, slug } = requireOrg(system, org);
  const { id: accountId, email } = requireAccount(system, account);
  const { level } = options;
  addMember(system, { orgId, accountId, membershipLevel: level, ...actorOf(system, options) });
  out.result({ orgId, accountId, level }, () => `${email} is ${level} of ${slug}.`);
}

function list({ data, out }: DataRun, _: object, org: string): void {
  const { system } = data;
  const { id: orgId } = requireOrg(system, org);
  const members = system
    .select({
      accountId: accounts.id,
      email: accounts.email,
      level: organizationMembers.membershipLevel,
      status: accounts.status,
      since: organizationMembers.createdAt,
    })
    .from(organizationMembers)
    .innerJoin(accounts, eq(accounts.id, organizationMembers.accountId))
    .where(eq(organizationMembers.orgId, orgId))
    .orderBy(accounts.email)
    .all();
  out.result({ orgId, members }, () =>
    out.table(
      members,
      [
        { header: "email", value: ({ email }) => email, shrinks: true },
        { header: "level", value: ({ level }) => level },
        { header: "status", value: ({ status }) => status },
        { header: "account", value: ({ accountId }) => accountId },
      ],
      "It has no members.",
    ),
  );
}

function remove(
  { data, out }: DataRun,
  options: ActorOptions,
  ...[org, account]: [string, string]
): void {
  const { system } = data;
  const { id: orgId, slug } = requireOrg(system, org);
  const { id: accountId, email } = requireAccount(system, account);
  if (!removeMember(system, { orgId, accountId, ...actorOf(system, options) })) {
    throw new HubError("NOT_FOUND", `${email} is no member of ${slug}`, {
      details: { orgId, accountId },
    });
  }
  out.result({ orgId, accountId, removed: true }, () => `${email} has left ${slug}.`);
}
