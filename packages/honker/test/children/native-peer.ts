// Honker's official native binding on the file given as argument, answering calls of the test. It lives in
// a process of its own: two copies of SQLite on one file in one process drop each other's locks.
import { createRequire } from "node:module";

interface NativeTransaction {
  query(sql: string, params: unknown[]): Record<string, unknown>[];
  execute(sql: string, params: unknown[]): number;
  notify(channel: string, payload: unknown): number;
  commit(): void;
  rollback(): void;
}

interface NativeDatabase {
  query(sql: string, params: unknown[]): Record<string, unknown>[];
  transaction(): NativeTransaction;
  updateEvents(): { next(): Promise<void> };
}

interface Call {
  readonly id: number;
  readonly method: "query" | "write" | "notify" | "nextUpdate";
  readonly args: readonly unknown[];
}

const require = createRequire(import.meta.url);
const native = require("@russellthehippo/honker-node-linux-x64-gnu") as {
  open(path: string): NativeDatabase;
};
const db = native.open(process.argv[2] as string);
const updates = db.updateEvents();

/** Runs `work` in a write transaction of the binding. */
function write<T>(work: (tx: NativeTransaction) => T): T {
  const tx = db.transaction();
  try {
    const result = work(tx);
    tx.commit();
    return result;
  } catch (error) {
    tx.rollback();
    throw error;
  }
}

async function answer({ method, args }: Call): Promise<unknown> {
  const [first, second] = args as [string, unknown[]];
  switch (method) {
    case "query":
      return db.query(first, second ?? []);
    case "write":
      return write((tx) => tx.query(first, second ?? []));
    case "notify":
      return write((tx) => tx.notify(first, args[1]));
    case "nextUpdate":
      return updates.next();
  }
}

process.on("message", (call: Call) => {
  answer(call).then(
    (value) => process.send?.({ id: call.id, value: value ?? null }),
    (error: unknown) => process.send?.({ id: call.id, error: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
process.send?.({ id: 0, value: "ready" });
