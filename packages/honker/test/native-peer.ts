import { type ChildProcess, fork } from "node:child_process";
import { onTestFinished } from "vitest";

/** Honker's official native binding in another process, on the same file. */
export interface NativePeer {
  query(sql: string, params?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Runs one statement in a write transaction and returns its rows. */
  write(sql: string, params?: unknown[]): Promise<Record<string, unknown>[]>;
  /** First column of the first row of a write. */
  scalar(sql: string, params?: unknown[]): Promise<unknown>;
  notify(channel: string, payload: unknown): Promise<unknown>;
  /** Resolves at the next commit that the binding's watcher sees. */
  nextUpdate(): Promise<void>;
  readonly process: ChildProcess;
}

/** Starts a {@link NativePeer} that ends with the running test. */
export async function startNativePeer(path: string): Promise<NativePeer> {
  const child = fork(new URL("./children/native-peer.ts", import.meta.url), [path]);
  onTestFinished(() => void child.kill("SIGKILL"));
  const pending = new Map<number, (answer: { value?: unknown; error?: string }) => void>();
  let last = 0;
  const ready = new Promise<void>((resolve, reject) => {
    pending.set(0, () => resolve());
    child.once("exit", (code) => reject(new Error(`the native peer exited with ${code}`)));
  });
  child.on("message", (message: { id: number; value?: unknown; error?: string }) => {
    pending.get(message.id)?.(message);
    pending.delete(message.id);
  });
  const call = (method: string, args: unknown[]): Promise<unknown> => {
    last += 1;
    const id = last;
    return new Promise((resolve, reject) => {
      pending.set(id, ({ value, error }) => {
        if (error === undefined) resolve(value);
        else reject(new Error(error));
      });
      child.send({ id, method, args });
    });
  };
  await ready;
  const write = (sql: string, params: unknown[] = []): Promise<Record<string, unknown>[]> =>
    call("write", [sql, params]) as Promise<Record<string, unknown>[]>;
  return {
    process: child,
    query: (sql, params = []) => call("query", [sql, params]) as Promise<Record<string, unknown>[]>,
    write,
    scalar: async (sql, params) => Object.values((await write(sql, params))[0] ?? {})[0],
    notify: (channel, payload) => call("notify", [channel, payload]),
    nextUpdate: () => call("nextUpdate", []) as Promise<void>,
  };
}
