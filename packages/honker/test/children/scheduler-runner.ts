// Runs the schedules of a file, as one of several: "run" leads or waits, "tick" ticks without a leader.
import { open } from "@alkdev/honker";

const [path, mode, owner] = process.argv.slice(2) as [string, "run" | "tick", string];
const db = open(path);
const scheduler = db.scheduler();
process.send?.("ready");
if (mode === "run") {
  const stop = new AbortController();
  process.on("message", () => stop.abort());
  await scheduler.run(owner, stop.signal);
  db.close();
  process.disconnect?.();
} else {
  for (;;) {
    scheduler.tick();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
