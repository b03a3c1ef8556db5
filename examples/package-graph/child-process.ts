import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How often in a row a child may die without having got anything done in between. */
const MAX_DEATHS = 5;
/** A child that does not end by itself within this is killed; it loses nothing by that. */
const STOP_WITHIN_MS = 5_000;

/** What a {@link SupervisedChild} tells. */
export interface ChildEvents {
  say(line: string): void;
  /** The child died too often; the run cannot go on. */
  gaveUp(error: Error): void;
}

/** The run ends because one of its processes cannot do its work. */
class ChildDied extends Error {
  override readonly name: string = "ChildDied";
  readonly code = "CHILD_DIED";

  constructor(role: string, how: string) {
    super(
      `the ${role} died ${how}; what it says above may tell why. The same command goes on from here`,
    );
  }
}

/** A process of this example that is started again when it dies, until it is told to stop. */
export class SupervisedChild {
  readonly #role: string;
  readonly #args: readonly string[];
  readonly #events: ChildEvents;
  #child: ChildProcess | undefined;
  #deaths = 0;
  #stopping = false;

  constructor(role: string, args: readonly string[], events: ChildEvents) {
    this.#role = role;
    this.#args = args;
    this.#events = events;
    this.#start();
  }

  /** Says that the child got something done, so that earlier deaths no longer count. */
  worked(): void {
    this.#deaths = 0;
  }

  /** Asks the child to end after what it is doing, and waits for it. Always resolves. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
      child.once("exit", () => {
        clearTimeout(timer);
        resolve();
      });
      // the children end when nobody is at the other end of the channel
      if (child.connected) child.disconnect();
    });
  }

  #start(): void {
    const script = fileURLToPath(new URL(`./${this.#role}.ts`, import.meta.url));
    const child = fork(script, this.#args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child = child;
    child.once("error", (error) => this.#events.gaveUp(error));
    child.once("exit", (code, signal) => this.#exited(signal ?? `code ${code}`));
    this.#events.say(`${this.#role} started (process ${child.pid})`);
  }

  #exited(how: string): void {
    if (this.#stopping) return;
    this.#deaths += 1;
    if (this.#deaths > MAX_DEATHS) {
      this.#events.gaveUp(new ChildDied(this.#role, `${this.#deaths} times in a row (${how})`));
      return;
    }
    this.#events.say(`${this.#role} died (${how}); starting it again`);
    this.#start();
  }
}

/**
 * For the child's side: a signal that aborts when the parent asked to stop or died. Ctrl-C reaches the
 * whole process group; it is the parent's to act on.
 */
export function untilParentIsGone(): AbortSignal {
  const controller = new AbortController();
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => undefined);
  process.once("disconnect", () => controller.abort());
  if (!process.connected) controller.abort();
  return controller.signal;
}
