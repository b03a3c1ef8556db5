import { addPeerKey, peerCredentials, revokePeerKey } from "@alkdev/storage/sqlite";
import { eq } from "drizzle-orm";
import { futureDate } from "../arguments/duration.ts";
import { textArgument } from "../arguments/text-argument.ts";
import { type ActorOptions, actorOf, withActor } from "../places/actor.ts";
import { requireAccount } from "../places/require-account.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

interface AddOptions extends ActorOptions {
  readonly name?: string;
  readonly expires?: Date;
}

/** `alkdev peer-key` */
export const definePeerKey: DefineCommand = (peerKey, shell) => {
  withActor(peerKey.command("add <account> <public-key>"))
    .description("let an account sign in with a public key: its line, @file, or - for stdin")
    .option("--name <name>", "what it is for")
    .option("--expires <when>", "a date, or a duration such as 90d (default: never)", futureDate)
    .action(shell.action<AddOptions, [string, string]>(add));
  peerKey
    .command("list <account>")
    .description("list the public keys of an account")
    .action(shell.action<object, [string]>(list));
  withActor(peerKey.command("revoke <id>"))
    .description("end a public key at once")
    .action(shell.action<ActorOptions, [string]>(revoke));
};

async function add(
  { data, out, io }: DataRun,
  options: AddOptions,
  ...[account, publicKey]: [string, string]
): Promise<void> {
  const { system } = data;
  const { name, expires: expiresAt } = options;
  const added = addPeerKey(system, {
    ownerId: requireAccount(system, account).id,
    publicKey: await textArgument(publicKey, io.stdin),
    ...(name === undefined ? {} : { name }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...actorOf(system, options),
  });
  out.result(added, (key) => out.fields(key));
}

function list({ data, out }: DataRun, _: object, account: string): void {
  const { id: ownerId } = requireAccount(data.system, account);
  const rows = data.system
    .select()
    .from(peerCredentials)
    .where(eq(peerCredentials.ownerId, ownerId))
    .orderBy(peerCredentials.id)
    .all();
  const peerKeys = rows.map(({ id, fingerprint, name, enabled, expiresAt, revokedAt }) => {
    return { id, fingerprint, name, enabled, expiresAt, revokedAt };
  });
  out.result({ peerKeys }, () =>
    out.table(
      peerKeys,
      [
        { header: "id", value: ({ id }) => id },
        { header: "fingerprint", value: ({ fingerprint }) => fingerprint, shrinks: true },
        { header: "name", value: ({ name }) => name, shrinks: true },
        { header: "revoked", value: ({ revokedAt }) => revokedAt, shrinks: true },
      ],
      "It has no public keys.",
    ),
  );
}

function revoke({ data, out }: DataRun, options: ActorOptions, id: string): void {
  const revoked = revokePeerKey(data.system, id, actorOf(data.system, options));
  out.result({ id, revoked }, () =>
    revoked ? `Public key ${id} is revoked.` : `Public key ${id} was revoked before.`,
  );
}
