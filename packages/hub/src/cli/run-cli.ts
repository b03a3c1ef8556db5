import { CommanderError } from "commander";
import { describeError } from "./describe-error.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { createProgram, createWholeProgram } from "./program.ts";
import { Shell } from "./shell.ts";
import { StopSignals } from "./stop-signals.ts";
import { harmless } from "./table.ts";

/** Runs `alkdev` with the given arguments and returns its exit status; see {@link EXIT}. */
export async function runCli(argv: readonly string[], io: Io = process): Promise<number> {
  using stop = new StopSignals();
  const shell: Shell = new Shell({
    io,
    json: argv.includes("--json"),
    signal: stop.signal,
    wholeProgram: () => createWholeProgram(shell),
  });
  const program = createProgram(shell);
  try {
    await program.parseAsync(argv, { from: "user" });
    return shell.exitCode;
  } catch (error) {
    if (stop.exitCode !== null && isAbort(error, stop.signal)) return stop.exitCode;
    return report(error, argv, shell);
  }
}

function report(error: unknown, argv: readonly string[], { io, json }: Shell): number {
  const { stderr } = io;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    const isHelp = error.code === "commander.help";
    const message = isHelp
      ? "a command is missing"
      : error.message.replace(/^error: /, "").replace(/\n\(/, " (");
    // the help that was shown says it all
    if (json || !isHelp) stderr.write(textOf({ code: "USAGE", message }, json));
    return EXIT.usage;
  }
  const { unexpected, ...described } = describeError(error);
  stderr.write(textOf(described, json));
  const debug = argv.includes("--debug");
  if (debug && error instanceof Error) stderr.write(`${stackOf(error)}\n`);
  else if (unexpected && !json) stderr.write("Run it with --debug to see where.\n");
  return exitCodeOf(described.code);
}

function textOf(error: { readonly code: string; readonly message: string }, json: boolean): string {
  return json ? `${JSON.stringify({ error })}\n` : `alkdev: ${harmless(error.message)}\n`;
}

function stackOf(error: Error): string {
  const { cause } = error;
  const own = error.stack ?? error.message;
  return cause instanceof Error ? `${own}\ncaused by ${stackOf(cause)}` : own;
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}
