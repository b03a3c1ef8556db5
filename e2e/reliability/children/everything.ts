// Waits for a line, then uses every part of the engine at once until it is killed: produces, works,
// consumes, locks, fires.
import { once } from "node:events";
import { open } from "@alkdev/honker";
import { OPTIONS, QUEUE } from "../parts.ts";
import { print } from "./print.ts";

const [path, extension, name] = process.argv.slice(2) as [string, string, string];
print("booted");
await once(process.stdin, "data");
const db = open(path, {
  ...OPTIONS,
  extension,
  onError: (error, context) => print(`error ${context}: ${String(error)}`),
});
const work = db.queue<number>("work", QUEUE);
const events = db.stream<number>("work");

/** One number in a row, an event, a job and a notification; every fifth time it is thrown away. */
function produce(round: number): void {
  const thrown = round % 5 === 0;
  try {
    const seq = db.transaction((tx) => {
      const { lastInsertRowid } = tx.execute("INSERT INTO produced (pid) VALUES (?)", [
        process.pid,
      ]);
      const number = thrown ? -1 : Number(lastInsertRowid);
      work.enqueue(number);
      tx.notify("work", number);
      events.publish(number);
      if (thrown) throw new Error("thrown away");
      return number;
    });
    print(`acked ${seq}`);
  } catch (error) {
    if ((error as Error).message !== "thrown away") throw error;
  }
}

/** Two processes may read as one consumer here; only one of them gets an event's effect in. */
async function consume(): Promise<void> {
  for (;;) {
    const reader = events.subscribe("reader", { saveEveryN: 0, saveEverySeconds: 0 });
    for await (const event of reader) {
      const mine = db.transaction((tx) => {
        if (!events.saveOffsetTx(tx, "reader", event.offset)) return false;
        tx.execute("INSERT INTO consumed (offset, seq) VALUES (?, ?)", [
          event.offset,
          event.payload,
        ]);
        return true;
      });
      if (!mine) break;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function lead(): void {
  const lock = db.tryLock("leader", name, 0.05);
  if (lock === null) return;
  db.transaction((tx) => {
    if (lock.held) tx.execute("INSERT INTO fenced (token) VALUES (?)", [lock.token]);
  });
}

work.work(
  (job, { complete }) => {
    complete((tx) => void tx.execute("INSERT INTO effects (seq) VALUES (?)", [job.payload]));
  },
  { worker: `${name}-${process.pid}`, concurrency: 4 },
);
db.queue("ticks", QUEUE).work(
  ({ headers: { scheduledFor = null } }, { complete }) => {
    complete((tx) => void tx.execute("INSERT INTO fired (slot) VALUES (?)", [scheduledFor]));
  },
  { worker: `${name}-ticks-${process.pid}` },
);
db.scheduler().start({ owner: name });
void consume();
print("ready");
for (let round = 1; ; round++) {
  for (let i = 0; i < 4; i++) produce(round + i);
  if (round % 3 === 0) lead();
  await new Promise((resolve) => setTimeout(resolve, 1));
}
