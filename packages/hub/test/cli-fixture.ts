import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { eventually } from "@alkdev/testkit";
import type { Command } from "commander";
import { afterAll, onTestFinished } from "vitest";
import type { Io } from "../src/cli/io.ts";
import { createWholeProgram } from "../src/cli/program.ts";
import { runCli } from "../src/cli/run-cli.ts";
import { Shell } from "../src/cli/shell.ts";

const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that runs until it is stopped. */
export interface Running {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  readonly stdout: () => string;
  /** Sends a signal and waits for the end. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Ended>;
}

/** The program with every command loaded. */
export function wholeProgram(): Promise<Command> {
  const { signal } = new AbortController();
  const io: Io = { stdin: Readable.from([]), stdout: new PassThrough(), stderr: new PassThrough() };
  const shell: Shell = new Shell({
    io,
    json: false,
    signal,
    wholeProgram: () => createWholeProgram(shell),
  });
  return shell.wholeProgram();
}

// loading every module takes its time on a busy machine, and is no part of a test
await wholeProgram();

/** A folder for all tests of a file. */
export function sharedFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "alkdev-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** `alkdev` over the data in the folder `data` of `folder`. */
export function cli(folder: string) {
  const data = ["--data", join(folder, "data")];

  /** Runs a command in this process. */
  const run = async (args: readonly string[], input = ""): Promise<Ended> => {
    const stdout = Object.assign(new PassThrough(), { columns: 80 });
    const stderr = Object.assign(new PassThrough(), { columns: 80 });
    const printed = Promise.all([text(stdout), text(stderr)]);
    const code = await runCli([...data, ...args], {
      stdin: Readable.from([input]),
      stdout,
      stderr,
    });
    stdout.end();
    stderr.end();
    const [out, err] = await printed;
    return { code, stdout: out, stderr: err };
  };

  /** Runs it with `--json`, and expects that it works. */
  const json = async <T = Record<string, never>>(
    args: readonly string[],
    input?: string,
  ): Promise<T> => {
    const { code, stdout, stderr } = await run([...args, "--json"], input);
    if (code !== 0) throw new Error(`alkdev ${args.join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  };

  /** Arguments of a process of its own. */
  const commandLine = (args: readonly string[]): string[] => {
    return ["--conditions=@alkdev/source", MAIN, ...data, ...args];
  };

  /** Runs it in a process of its own. */
  const start = (args: readonly string[], env: Record<string, string> = {}): ChildProcess =>
    spawn(process.execPath, commandLine(args), {
      cwd: folder,
      env: { ...process.env, COLUMNS: "80", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });

  /** As {@link start}, until it is stopped; resolves when it has printed `ready`. */
  const background = async (
    args: readonly string[],
    ready: string,
    env?: Record<string, string>,
  ): Promise<Running> => {
    const child = start(args, env);
    let stdout = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    const end = ended(child);
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await end;
    });
    await eventually(
      `alkdev ${args.join(" ")} prints ${ready}`,
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${(await end).stderr}`);
        return stdout.includes(ready);
      },
      50_000,
    );
    const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> => {
      child.kill(signal);
      return { ...(await end), stdout };
    };
    return { child, stdout: () => stdout, stop };
  };
  return { run, json, start, background, commandLine };
}

/** How a process ends. */
export async function ended(child: ChildProcess): Promise<Ended> {
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([
    child.stdout === null ? "" : text(child.stdout),
    child.stderr === null ? "" : text(child.stderr),
  ]);
  return { code: await code, stdout, stderr };
}
