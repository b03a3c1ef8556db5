import {
  ACCOUNT_ACCESS_LEVELS,
  ACCOUNT_STATUSES,
  accounts,
  createAccount,
  deactivateAccount,
  type SelectAccount,
  updateAccount,
} from "@alkdev/storage/sqlite";
import { Option } from "commander";
import { gt } from "drizzle-orm";
import { HubError } from "../../errors.ts";
import { positive } from "../arguments/whole.ts";
import { type ActorOptions, actorOf, withActor } from "../places/actor.ts";
import { requireAccount } from "../places/require-account.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

type Level = (typeof ACCOUNT_ACCESS_LEVELS)[number];

interface CreateOptions extends ActorOptions {
  readonly name?: string;
  readonly level: Level;
}

interface UpdateOptions extends ActorOptions {
  readonly email?: string;
  readonly name?: string;
  readonly level?: Level;
  readonly status?: (typeof ACCOUNT_STATUSES)[number];
}

interface ListOptions {
  readonly limit: number;
  readonly after: string;
}

/** `alkdev account` */
export const defineAccount: DefineCommand = (account, shell) => {
  withActor(account.command("create <email>"))
    .description("make an account")
    .option("--name <name>", "name shown to people")
    .addOption(levelOption().default("user"))
    .action(shell.action<CreateOptions, [string]>(create));
  account
    .command("list")
    .description("list accounts, oldest first")
    .option("--limit <count>", "at most so many", positive, 100)
    .option("--after <id>", "those after this id", "")
    .action(shell.action<ListOptions>(list));
  account
    .command("show <account>")
    .description("show an account, by id or email")
    .action(shell.action<object, [string]>(show));
  withActor(account.command("update <account>"))
    .description("change an account; a suspended one cannot sign in")
    .option("--email <email>", "new address")
    .option("--name <name>", "new name")
    .addOption(levelOption())
    .addOption(new Option("--status <status>", "new status").choices(ACCOUNT_STATUSES))
    .action(shell.action<UpdateOptions, [string]>(update));
  withActor(account.command("deactivate <account>"))
    .description("end an account for good, with its keys; tenants it owns are suspended")
    .action(shell.action<ActorOptions, [string]>(deactivate));
};

function create({ data, out }: DataRun, options: CreateOptions, email: string): void {
  const { system } = data;
  const { name, level } = options;
  const made = createAccount(system, {
    email,
    accessLevel: level,
    ...(name === undefined ? {} : { displayName: name }),
    ...actorOf(system, options),
  });
  out.result(shown(made), (account) => out.fields(account));
}

function list({ data, out }: DataRun, { limit, after }: ListOptions): void {
  const rows = data.system
    .select()
    .from(accounts)
    .where(gt(accounts.id, after))
    .orderBy(accounts.id)
    .limit(limit + 1)
    .all();
  const items = rows.slice(0, limit).map(shown);
  const cursor = rows.length > limit ? (items.at(-1)?.id ?? null) : null;
  out.result({ accounts: items, cursor }, () =>
    out.table(
      items,
      [
        { header: "email", value: ({ email }) => email, shrinks: true },
        { header: "name", value: ({ name }) => name, shrinks: true },
        { header: "level", value: ({ level }) => level },
        { header: "status", value: ({ status }) => status },
        { header: "id", value: ({ id }) => id },
      ],
      "There are no accounts.",
    ),
  );
  if (cursor !== null) out.note(`More with --after ${cursor}`);
}

function show({ data, out }: DataRun, _: object, idOrEmail: string): void {
  out.result(shown(requireAccount(data.system, idOrEmail)), (account) => out.fields(account));
}

function update({ data, out }: DataRun, options: UpdateOptions, idOrEmail: string): void {
  const { system } = data;
  const { email, name, level, status } = options;
  const changes = {
    ...(email === undefined ? {} : { email }),
    ...(name === undefined ? {} : { displayName: name === "" ? null : name }),
    ...(level === undefined ? {} : { accessLevel: level }),
    ...(status === undefined ? {} : { status }),
  };
  if (Object.keys(changes).length === 0) {
    throw new HubError("INVALID_ARGUMENT", `account "${idOrEmail}": nothing to change is given`, {
      hint: "Give --email, --name, --level or --status",
    });
  }
  const { id } = requireAccount(system, idOrEmail);
  const changed = updateAccount(system, id, { changes, ...actorOf(system, options) });
  out.result(shown(changed), (account) => out.fields(account));
}

async function deactivate(run: DataRun, options: ActorOptions, idOrEmail: string): Promise<void> {
  const { data, out } = run;
  const { system, tenants } = data;
  const { id, email } = requireAccount(system, idOrEmail);
  await run.confirm({ what: `account ${email} and all its keys end for good`, word: email });
  const done = deactivateAccount(system, id, { tenants, ...actorOf(system, options) });
  out.result({ id, email, ...done }, (result) => out.fields(result));
}

/** An account as it is shown. */
function shown(account: SelectAccount) {
  const { id, email, displayName: name, accessLevel: level, status, createdAt } = account;
  return { id, email, name, level, status, createdAt };
}

function levelOption(): Option {
  return new Option("--level <level>", "what it may do beyond its memberships").choices(
    ACCOUNT_ACCESS_LEVELS,
  );
}
