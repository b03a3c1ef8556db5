import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "@alkdev/testkit";
import { onTestFinished } from "vitest";

/** What children compile is kept between them: a third of the time to boot. */
const COMPILE_CACHE = join(tmpdir(), "alkdev-compile-cache");

/** How a {@link Child} is started. */
export interface ChildOptions {
  /** Words put before the command, such as `["prlimit", "--fsize=100000"]`. */
  readonly wrapper?: readonly string[];
}

/** A process that runs one file of `children/` and prints what it did, a line each. */
export class Child {
  readonly lines: string[] = [];
  readonly exited: Promise<unknown>;
  readonly #process: ChildProcess;
  #rest = "";
  #errors = "";

  constructor(file: string, args: readonly (string | number)[], options: ChildOptions = {}) {
    const script = fileURLToPath(new URL(`./children/${file}`, import.meta.url));
    const command = [
      ...(options.wrapper ?? []),
      process.execPath,
      "--conditions=@alkdev/source",
      script,
      ...args.map(String),
    ];
    this.#process = spawn(command[0] as string, command.slice(1), {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    });
    this.exited = once(this.#process, "close");
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => this.#onOutput(text));
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    // a child that dies while it is written to is an expected end here
    this.#process.stdin?.on("error", () => undefined);
    onTestFinished(() => {
      this.#process.kill("SIGKILL");
    });
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** What it wrote to standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Sends a line. */
  tell(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  /** Waits for a line that begins with `start`, and returns it. */
  async line(start: string, timeoutMs = 20_000): Promise<string> {
    return await eventually(
      `a child prints "${start}" (it printed: ${this.lines.slice(-3).join(" | ")})`,
      () => {
        const found = this.lines.find((line) => line.startsWith(start));
        if (found === undefined && !this.running) {
          throw new Error(`the child ended before it printed "${start}": ${this.#errors}`);
        }
        return found;
      },
      timeoutMs,
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** SIGKILL, and waits until the process is gone. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.exited;
  }

  #onOutput(text: string): void {
    const parts = (this.#rest + text).split("\n");
    this.#rest = parts.pop() ?? "";
    this.lines.push(...parts);
  }
}
