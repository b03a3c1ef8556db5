import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "@alkdev/testkit";
import { onTestFinished } from "vitest";
import type { Report } from "../../examples/package-graph/report.ts";

const MAIN = fileURLToPath(new URL("../../examples/package-graph/main.ts", import.meta.url));

/** How a {@link Job} ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The main job as a user starts it, `--json`, in a process of its own. */
export class Job {
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcess;
  #stdout = "";
  #stderr = "";

  constructor(args: readonly string[]) {
    this.#process = spawn(
      process.execPath,
      ["--conditions=@alkdev/source", MAIN, "--json", ...args],
      {
        stdio: ["ignore", "pipe", "pipe"],
        // boots three times as fast from the second time on
        env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "alkdev-compile-cache") },
      },
    );
    this.#process.stdout?.setEncoding("utf8").on("data", (text) => {
      this.#stdout += text;
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text) => {
      this.#stderr += text;
    });
    // "exit", not "close": the children of a killed parent still hold its stderr
    this.ended = once(this.#process, "exit").then(([code, signal]) => ({ code, signal }));
    onTestFinished(() => this.signal("SIGKILL"));
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** What it told while it ran. */
  get log(): string {
    return this.#stderr;
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  /** Process ids of the newest worker and projector, as far as they were started. */
  get children(): number[] {
    return ["worker", "projector"].flatMap((role) => {
      const started = [
        ...this.#stderr.matchAll(new RegExp(`${role} started \\(process (\\d+)\\)`, "g")),
      ];
      const last = started.at(-1)?.[1];
      return last === undefined ? [] : [Number(last)];
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Waits until it told `text`, or ended. */
  async told(text: string): Promise<void> {
    await eventually(
      `the main job says "${text}" (it said: ${this.#stderr.slice(-500)})`,
      () => this.#stderr.includes(text) || !this.running,
      60_000,
    );
  }

  /** The report of a job that ended. */
  async report(): Promise<Report> {
    const { code, signal } = await this.ended;
    await eventually("the output was read", () => this.#process.stdout?.readableEnded, 10_000);
    if (this.#stdout === "") throw new Error(`no report (exit ${code ?? signal}): ${this.#stderr}`);
    return JSON.parse(this.#stdout) as Report;
  }
}

/** Whether a process exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
