import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { COMMANDS } from "./commands.ts";
import type { Shell } from "./shell.ts";

const HELP = `
Exit status: 0 done, 1 failed, 2 not understood, 3 not found, 4 refused, 5 trouble
found, 6 try again later, 130 and 143 stopped by a signal.`;

/** The program `alkdev` with all its commands. */
export function createProgram(shell: Shell): Command {
  const program = new Command("alkdev")
    .description("Hubs, their tenants, and what is in their files.")
    .version(version())
    .addOption(
      new Option("--data <folder>", "folder of system.db and the tenants")
        .env("ALKDEV_DATA")
        .default("./data"),
    )
    .option("--json", "results and errors as JSON")
    .option("-y, --yes", "do not ask for confirmation")
    .option("--debug", "show where an error came from")
    .addHelpText("after", HELP)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError()
    .exitOverride();
  for (const add of COMMANDS) add(program, shell);
  return program;
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
