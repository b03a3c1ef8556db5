// Works on the queue "work". Arguments: path, extension, mode, payload at which to kill itself.
// "effect" writes each payload and ends the job in one transaction, dying in the middle of it;
// "hold" waits for its signal and says why it was aborted; "double" answers with twice the payload.
import { type HonkerError, type JobContext, open } from "@alkdev/honker";

const [path, extension, mode, dieAt] = process.argv.slice(2) as [string, string, string, string];
const db = open(path, { extension });
const queue = db.queue<number>("work", {
  visibilityTimeoutSeconds: 1,
  maxAttempts: 20,
  backoff: { kind: "fixed", delayMs: 0 },
});

const handlers = {
  effect: (payload: number, { complete }: JobContext) =>
    complete((tx) => {
      tx.execute("INSERT INTO effects (payload) VALUES (?)", [payload]);
      if (payload === Number(dieAt)) process.kill(process.pid, "SIGKILL");
    }),
  hold: async (_: number, { signal }: JobContext) => {
    process.send?.("holding");
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    process.send?.((signal.reason as HonkerError).code);
  },
  double: (payload: number) => payload * 2,
};

const handle = handlers[mode as keyof typeof handlers];
queue.work((job, context) => handle(job.payload, context), { concurrency: 4 });
process.send?.("ready");
