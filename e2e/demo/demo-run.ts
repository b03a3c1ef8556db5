import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "@alkdev/testkit";
import { onTestFinished } from "vitest";

const MAIN = fileURLToPath(new URL("../../examples/demo/main.ts", import.meta.url));
const LONGEST_MS = 60_000;

/** `npm start` as a user starts it, in a process of its own, on a port that is free. */
export class DemoRun {
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  readonly #process: ChildProcess;
  #stdout = "";
  #stderr = "";

  constructor(args: readonly string[]) {
    this.#process = spawn(
      process.execPath,
      ["--conditions=@alkdev/source", MAIN, "--json", "--port", "0", ...args],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "alkdev-compile-cache") },
      },
    );
    this.#process.stdout?.setEncoding("utf8").on("data", (text) => {
      this.#stdout += text;
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text) => {
      this.#stderr += text;
    });
    this.ended = once(this.#process, "exit").then(([code, signal]) => ({ code, signal }));
    onTestFinished(() => void this.#process.kill("SIGKILL"));
  }

  /** What it told while it ran. */
  get log(): string {
    return this.#stderr;
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Waits until it tells something, and returns the first group, or all of it. */
  async told(what: RegExp): Promise<string> {
    const found = await eventually(
      `npm start says ${what} (it said: ${this.#stderr.slice(-500)})`,
      () => {
        const match = what.exec(this.#stderr);
        const { exitCode, signalCode } = this.#process;
        if (match === null && (exitCode ?? signalCode) !== null) {
          throw new Error(`npm start ended (${exitCode ?? signalCode}): ${this.#stderr}`);
        }
        return match;
      },
      LONGEST_MS,
    );
    return found[1] ?? found[0];
  }

  /** What it did, once it is done. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  async report(): Promise<any> {
    await eventually("the report is there", () => this.#stdout.endsWith("}\n"), LONGEST_MS);
    return JSON.parse(this.#stdout);
  }
}

/** Processes whose command names a folder. */
export function processesAt(folder: string): readonly string[] {
  const listed = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" });
  return listed.split("\n").filter((line) => line.includes(folder));
}
