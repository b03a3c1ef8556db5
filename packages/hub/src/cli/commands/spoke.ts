import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { HubError } from "../../errors.ts";
import { openSpoke, type SpokeOptions } from "../../spoke/index.ts";
import { textArgument } from "../arguments/text-argument.ts";
import { type RemoteOptions, withHub } from "../remote/hub-options.ts";
import type { DefineCommand, Run } from "../shell.ts";
import { untilAborted } from "../until-aborted.ts";

interface SpokeCommandOptions extends RemoteOptions {
  readonly name: string;
  readonly file?: string;
  readonly ssh?: string;
}

type Operations = NonNullable<SpokeOptions["operations"]>;

/** `alkdev spoke` */
export const defineSpoke: DefineCommand = (command, shell) => {
  withHub(command)
    .arguments("<module>")
    .description(
      "serve the operations of a module through a hub, until Ctrl-C. The module exports operations: a list of them, or a function that is given the spoke's database.",
    )
    .requiredOption("--name <name>", "name of the spoke, the same after a restart")
    .option("--file <path>", "its own database (default: <name>.db)")
    .option("--ssh <path>", "sign in with this SSH key instead of an API key")
    .action(shell.remote<SpokeCommandOptions, [string]>(spoke));
};

async function spoke(run: Run, options: SpokeCommandOptions, path: string): Promise<void> {
  const { out, signal } = run;
  const { hub, org, name, file = `${name}.db` } = options;
  const operations = await operationsOf(path);
  const refused = new AbortController();
  await using opened = openSpoke({
    ...(await credentialOf(options, run)),
    ...(org === undefined ? {} : { org }),
    hub,
    name,
    file,
    operations,
    onStateChange: (state) => {
      out.line({ state }, () => `Spoke ${name}: ${state}`);
      if (state === "refused") refused.abort();
    },
    onError: (error, context) => out.warn(error, context),
  });
  await untilAborted(AbortSignal.any([signal, refused.signal]));
  // says why
  if (!signal.aborted) await opened.ready();
  out.note("Stopping.");
}

async function credentialOf({ hub, key, ssh }: SpokeCommandOptions, { io }: Run) {
  if (ssh !== undefined) return { ssh: { privateKeyPath: ssh } };
  if (key !== undefined) return { key: (await textArgument(key, io.stdin)).trim() };
  throw new HubError("REFUSED", `no key for the hub at ${hub}`, {
    hint: "Set ALKDEV_KEY, or give --key @file or --ssh",
  });
}

/** @throws HubError `INVALID_ARGUMENT` */
async function operationsOf(path: string): Promise<Operations> {
  let loaded: { readonly operations?: unknown };
  try {
    loaded = (await import(pathToFileURL(resolve(path)).href)) as typeof loaded;
  } catch (error) {
    throw new HubError("INVALID_ARGUMENT", `cannot load "${path}": ${(error as Error).message}`, {
      cause: error,
    });
  }
  const { operations } = loaded;
  if (typeof operations === "function") return operations as Operations;
  if (Array.isArray(operations)) return () => operations as ReturnType<Operations>;
  throw new HubError("INVALID_ARGUMENT", `"${path}" does not export operations`, {
    hint: "Export a list of operations, or a function that is given the spoke's database",
  });
}
