import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));

/** What a child process is told to run: an exported function of a module. */
export interface Task {
  /** `import.meta.url` of the module. */
  readonly module: string;
  readonly name: string;
  readonly input: unknown;
}

/** The child's side of the conversation. Messages are JSON. */
export interface Conversation {
  send(type: string, data?: unknown): void;
  /** Resolves with the data of the next message of `type`, also when it came before. */
  receive<T>(type: string, timeoutMs?: number): Promise<T>;
}

export interface Child extends Conversation {
  /** Asks it to end, and past 3 s ends it by its own pid. */
  stop(): Promise<void>;
  /** How it ended, once it has. */
  exited(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

interface Message {
  readonly type: string;
  readonly data?: unknown;
}

/** Messages kept until somebody asks for them. */
export class Inbox {
  readonly #kept: Message[] = [];
  readonly #waiting: {
    readonly type: string;
    readonly resolve: (data: unknown) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  #failure: Error | undefined;

  deliver(message: Message): void {
    const index = this.#waiting.findIndex(({ type }) => type === message.type);
    if (index === -1) this.#kept.push(message);
    else this.#waiting.splice(index, 1)[0]?.resolve(message.data);
  }

  /** Nothing more will come. */
  fail(error: Error): void {
    this.#failure = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  take<T>(type: string, timeoutMs: number): Promise<T> {
    const index = this.#kept.findIndex((message) => message.type === type);
    if (index !== -1) return Promise.resolve(this.#kept.splice(index, 1)[0]?.data as T);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no "${type}" in ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.#waiting.push({
        type,
        resolve: (data) => {
          clearTimeout(timer);
          resolve(data as T);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
    });
  }
}

export function startChild(task: Task): Child {
  const child = fork(CHILD, [JSON.stringify(task)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const inbox = new Inbox();
  child.on("message", (message) => {
    const received = message as Message;
    if (received.type === "failed") inbox.fail(new Error(String(received.data)));
    else inbox.deliver(received);
  });
  const ended = end(child);
  void ended.then(({ code, signal }) =>
    inbox.fail(new Error(`${task.name} ended with ${signal ?? code}`)),
  );
  return {
    send: (type, data) => void child.send({ type, data }),
    receive: (type, timeoutMs = 120_000) => inbox.take(type, timeoutMs),
    exited: () => ended,
    async stop() {
      if (child.connected) child.send({ type: "stop" });
      const timer = setTimeout(() => child.kill("SIGKILL"), 3_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Runs a task that answers once, and returns the answer. */
export async function runChild<T>(task: Task, timeoutMs: number): Promise<T> {
  const child = startChild(task);
  try {
    return await child.receive<T>("result", timeoutMs);
  } finally {
    await child.stop();
  }
}

function end(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
}
