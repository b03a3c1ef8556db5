import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SPOKE = fileURLToPath(new URL("spoke.ts", import.meta.url));
const KILL_AFTER_MS = 10_000;

/** What {@link startSpoke} passes on. */
export interface SpokeProcessOptions {
  readonly hub: string;
  /** In the environment, not in the arguments: those anybody can list. */
  readonly key: string;
  readonly folder: string;
  readonly onLog: (line: string) => void;
}

/** The spoke's process. */
export interface SpokeProcess extends AsyncDisposable {
  readonly ended: Promise<void>;
}

/** Starts the spoke beside the hub. */
export function startSpoke({ hub, key, folder, onLog }: SpokeProcessOptions): SpokeProcess {
  const file = join(folder, "spoke-lockfiles.db");
  const child = spawn(process.execPath, ["--conditions=@alkdev/source", SPOKE, hub, file], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ALKDEV_KEY: key },
    // Ctrl-C goes to the whole terminal; the spoke is to outlive the calls that end
    detached: true,
  });
  createInterface({ input: child.stderr }).on("line", onLog);
  const ended = once(child, "exit").then(() => undefined);
  return {
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
