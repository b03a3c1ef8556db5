import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { COMMANDS } from "./commands.ts";
import type { Shell } from "./shell.ts";

const HELP = `
Exit status: 0 done, 1 failed, 2 not understood, 3 not found, 4 refused,
5 trouble found, 6 try again later, 130 and 143 stopped by a signal.`;

/** The program `alkdev`. Each command is loaded when it is asked for. */
export function createProgram(shell: Shell): Command {
  const { io, json } = shell;
  const program = new Command("alkdev")
    .description("Hubs, their tenants, and what is in their files.")
    .version(version())
    .addOption(
      new Option("--data <folder>", "folder of system.db and the tenants")
        .env("ALKDEV_DATA")
        .default("./data"),
    )
    .addOption(
      new Option(
        "--tables <folder>",
        "what drizzle-kit generated for tables of your own in the tenants",
      ).env("ALKDEV_TABLES"),
    )
    .option("--json", "results and errors as JSON")
    .option("-y, --yes", "do not ask for confirmation")
    .option("--debug", "show where an error came from")
    .addHelpText("after", HELP)
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 20 })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      // help, where a command is missing
      writeErr: (text) => void (json || io.stderr.write(text)),
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80,
    })
    .showSuggestionAfterError()
    // commander's own would show commands that are not loaded
    .helpCommand(false)
    .exitOverride();
  for (const { name, summary } of COMMANDS) program.command(name).description(summary);
  program
    .command("help [command...]")
    .description("explain a command")
    .action(async (names: readonly string[]) => {
      await program.parseAsync([...names, "--help"], { from: "user" });
    });
  return program.hook("preSubcommand", async (_, command) => {
    const known = COMMANDS.find(({ name }) => name === command.name());
    (await known?.load())?.(command, shell);
  });
}

/** The program with every command loaded, for completion. */
export async function createWholeProgram(shell: Shell): Promise<Command> {
  const program = createProgram(shell);
  const defines = await Promise.all(COMMANDS.map(({ load }) => load()));
  for (const [at, define] of defines.entries()) {
    const command = program.commands[at];
    if (command !== undefined) define(command, shell);
  }
  return program;
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
