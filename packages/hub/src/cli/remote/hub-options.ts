import { type Command, InvalidArgumentError, Option } from "commander";
import { HubError } from "../../errors.ts";
import { textArgument } from "../arguments/text-argument.ts";
import type { Run } from "../shell.ts";
import { HubClient } from "./hub-client.ts";

/** Options that say which hub a command goes to, and as whom. */
export interface RemoteOptions {
  readonly hub: string;
  readonly key?: string;
  readonly org?: string;
}

/** Where `alkdev hub` listens unless it is told otherwise. */
const DEFAULT_HUB = "http://127.0.0.1:4300";

/** Lets a command be told which hub it goes to. */
export function withHub(command: Command): Command {
  return command
    .addOption(hubOption("address of the hub").env("ALKDEV_HUB").default(DEFAULT_HUB))
    .addOption(keyOption())
    .addOption(
      new Option(
        "--org <org>",
        "id or slug of the organisation (default: the only one of the account)",
      ).env("ALKDEV_ORG"),
    );
}

/** `--hub <url>` */
export function hubOption(description: string): Option {
  return new Option("--hub <url>", description).argParser(hubUrl);
}

/** `--key <key>` */
export function keyOption(): Option {
  return new Option("--key <key>", "API key, or @file: arguments can be seen by others").env(
    "ALKDEV_KEY",
  );
}

/** A client of the hub that the options name. @throws HubError `REFUSED` without a key */
export async function hubClient({ hub, key, org }: RemoteOptions, { io }: Run): Promise<HubClient> {
  if (key === undefined) {
    throw new HubError("REFUSED", `no key for the hub at ${hub}`, {
      hint: "Set ALKDEV_KEY, or give --key @file",
    });
  }
  const bearer = (await textArgument(key, io.stdin)).trim();
  return new HubClient({ url: hub, key: bearer, ...(org === undefined ? {} : { org }) });
}

function hubUrl(text: string): string {
  if (URL.canParse(text)) {
    const { protocol, origin, pathname } = new URL(text);
    const isHttp = protocol === "http:" || protocol === "https:";
    if (isHttp) return `${origin}${pathname}`.replace(/\/$/, "");
  }
  throw new InvalidArgumentError(`An address is like ${DEFAULT_HUB}.`);
}
