import { type OneGoBench, rate } from "../harness/bench.ts";
import { now, secondsSince } from "../harness/clock.ts";
import { freshContext } from "../harness/context.ts";
import { payloads } from "../harness/payload.ts";
import { collect, type Done, startRole } from "../harness/roles.ts";

const BATCH = 1_000;

export const queueThroughput: OneGoBench = {
  name: "queue-throughput",
  question:
    "10,000 waiting jobs through one worker process, concurrency 10, a handler that does nothing. Processing counts from the moment the worker is told to start, its connections included, to the start of the last handler; end to end adds the time to enqueue them 1,000 per call.",
  metrics: {
    endToEnd: { title: "end to end", unit: "jobs/s", better: "more", goal: { ratio: 2 } },
    processing: { title: "processing", unit: "jobs/s", better: "more", goal: { ratio: 2 } },
    duplicates: { title: "delivered twice", unit: "jobs", better: "less", aside: true },
  },
  takesPart: ({ queue }) => queue !== undefined,
  async run(peer, { quick }) {
    const { queue } = peer;
    if (queue === undefined) throw new Error(`${peer.id} has no queue`);
    const total = Math.min(quick ? 2_000 : 10_000, peer.maxJobs ?? Number.POSITIVE_INFINITY);
    const context = freshContext("throughput");
    await queue.prepare(context);
    const producer = await queue.producer(context);
    const worker = startRole(peer, { role: "queue", context, total, hold: true });
    try {
      await worker.receive("booted");
      let enqueueing = 0;
      for (let i = 0; i < total; i += BATCH) {
        const batch = payloads(i, Math.min(BATCH, total - i));
        const start = now();
        await producer.addMany(batch);
        enqueueing += secondsSince(start);
      }
      worker.send("go");
      const { startedAt, at } = await worker.receive<Done>("done", 300_000);
      const seconds = (at - startedAt) / 1e9;
      const { duplicates } = await collect(worker);
      return {
        endToEnd: rate(total, seconds + enqueueing),
        processing: rate(total, seconds),
        duplicates: { value: duplicates, n: total },
      };
    } finally {
      await worker.stop();
      await producer.close();
    }
  },
};
