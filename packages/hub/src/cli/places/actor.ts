import type { Actor, SystemDatabase } from "@alkdev/storage/sqlite";
import type { Command } from "commander";
import { requireAccount } from "./require-account.ts";

/** Who does it, for the audit trail. */
export interface ActorOptions {
  readonly by?: string;
}

/** Lets a command be told who does it. */
export function withActor(command: Command): Command {
  return command.option(
    "--by <account>",
    "who does it, for the audit trail (default: the account it is about)",
  );
}

/** The actor of the options, to be spread into an input. @throws HubError `NOT_FOUND` */
export function actorOf(system: SystemDatabase, { by }: ActorOptions): { readonly by?: Actor } {
  return by === undefined ? {} : { by: { accountId: requireAccount(system, by).id } };
}
