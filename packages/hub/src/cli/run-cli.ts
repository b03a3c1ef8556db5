import { CommanderError } from "commander";
import { describeError } from "./describe-error.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { createProgram } from "./program.ts";
import { Shell } from "./shell.ts";
import { endOnBrokenPipe, StopSignals } from "./stop-signals.ts";
import { harmless } from "./table.ts";

/** Runs `alkdev` with the given arguments and returns its exit status; see {@link EXIT}. */
export async function runCli(argv: readonly string[]): Promise<number> {
  endOnBrokenPipe();
  using stop = new StopSignals();
  const shell = new Shell(stop.signal);
  const program = createProgram(shell);
  try {
    await program.parseAsync(argv, { from: "user" });
    return shell.exitCode;
  } catch (error) {
    if (stop.exitCode !== null && isAbort(error, stop.signal)) return stop.exitCode;
    return report(error, argv);
  }
}

function report(error: unknown, argv: readonly string[]): number {
  const json = argv.includes("--json");
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    // help that was shown because a command is missing says it all
    if (error.code !== "commander.help") {
      const message = error.message.replace(/^error: /, "").replace(/\n\(/, " (");
      write({ code: "USAGE", message }, json);
    }
    return EXIT.usage;
  }
  const { unexpected, ...described } = describeError(error);
  write(described, json);
  const debug = argv.includes("--debug");
  if (debug && error instanceof Error) process.stderr.write(`${stackOf(error)}\n`);
  else if (unexpected && !json) process.stderr.write("Run it with --debug to see where.\n");
  return exitCodeOf(described.code);
}

function write(error: { readonly code: string; readonly message: string }, json: boolean): void {
  process.stderr.write(
    json ? `${JSON.stringify({ error })}\n` : `alkdev: ${harmless(error.message)}\n`,
  );
}

function stackOf(error: Error): string {
  const { cause } = error;
  const own = error.stack ?? error.message;
  return cause instanceof Error ? `${own}\ncaused by ${stackOf(cause)}` : own;
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}
