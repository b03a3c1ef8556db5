import {
  type ApiKeyInfo,
  createApiKey,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
} from "@alkdev/storage/sqlite";
import { durationSeconds, futureDate } from "../arguments/duration.ts";
import { collect, positive } from "../arguments/whole.ts";
import { type ActorOptions, actorOf, withActor } from "../places/actor.ts";
import { requireAccount } from "../places/require-account.ts";
import { requireOrg } from "../places/require-org.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

interface CreateOptions extends ActorOptions {
  readonly name?: string;
  readonly expires?: Date;
  readonly scope?: readonly string[];
  readonly org?: string;
}

interface ListOptions {
  readonly limit: number;
  readonly after?: string;
}

interface RotateOptions extends ActorOptions {
  readonly grace: number;
  readonly expires?: Date;
}

/** `alkdev key` */
export const defineKey: DefineCommand = (key, shell) => {
  withActor(key.command("create <account>"))
    .description("make a key, which is shown once")
    .option("--name <name>", "what it is for")
    .option("--expires <when>", "a date, or a duration such as 90d (default: never)", futureDate)
    .option("--scope <scope>", "at most this scope, such as graphs:read; repeatable", collect)
    .option("--org <org>", "the only organisation it works in")
    .action(shell.action<CreateOptions, [string]>(create));
  key
    .command("list <account>")
    .description("list the keys of an account, oldest first")
    .option("--limit <count>", "at most so many", positive, 100)
    .option("--after <id>", "those after this id")
    .action(shell.action<ListOptions, [string]>(list));
  withActor(key.command("rotate <id>"))
    .description("make a key that takes over from another")
    .option("--grace <duration>", "how long the old one stays valid", durationSeconds, 86_400)
    .option("--expires <when>", "end of the new one (default: a life as long)", futureDate)
    .action(shell.action<RotateOptions, [string]>(rotate));
  withActor(key.command("revoke <id>"))
    .description("end a key at once")
    .action(shell.action<ActorOptions, [string]>(revoke));
};

function create({ data, out }: DataRun, options: CreateOptions, account: string): void {
  const { system } = data;
  const { name, expires: expiresAt, scope: scopes, org } = options;
  const made = createApiKey(system, {
    ownerId: requireAccount(system, account).id,
    ...(name === undefined ? {} : { name }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(org === undefined ? {} : { orgId: requireOrg(system, org).id }),
    ...actorOf(system, options),
  });
  out.result(made, (key) => out.fields(key));
  out.note("The key is not shown again.");
}

function list({ data, out }: DataRun, { limit, after }: ListOptions, account: string): void {
  const { id: ownerId } = requireAccount(data.system, account);
  const { items, cursor } = listApiKeys(data.system, { ownerId, limit, cursor: after ?? null });
  out.result({ keys: items, cursor }, () =>
    out.table(
      items,
      [
        { header: "id", value: ({ id }) => id },
        { header: "name", value: ({ name }) => name, shrinks: true },
        { header: "state", value: stateOf },
        { header: "expires", value: ({ expiresAt }) => expiresAt, shrinks: true },
        { header: "last used", value: ({ lastUsedAt }) => lastUsedAt, shrinks: true },
      ],
      "It has no keys.",
    ),
  );
  if (cursor !== null) out.note(`More with --after ${cursor}`);
}

function rotate({ data, out }: DataRun, options: RotateOptions, id: string): void {
  const { system } = data;
  const { grace: graceSeconds, expires: expiresAt } = options;
  const made = rotateApiKey(system, id, {
    graceSeconds,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...actorOf(system, options),
  });
  out.result({ ...made, rotatedFromId: id, graceSeconds }, (key) => out.fields(key));
  out.note("The key is not shown again.");
}

function revoke({ data, out }: DataRun, options: ActorOptions, id: string): void {
  const revoked = revokeApiKey(data.system, id, actorOf(data.system, options));
  out.result({ id, revoked }, () =>
    revoked ? `Key ${id} is revoked.` : `Key ${id} was revoked before.`,
  );
}

function stateOf({ enabled, expiresAt, revokedAt, rotatedToId }: ApiKeyInfo): string {
  if (revokedAt !== null) return "revoked";
  if (expiresAt !== null && expiresAt.getTime() <= Date.now()) return "expired";
  if (!enabled) return "disabled";
  return rotatedToId === null ? "active" : "rotated";
}
