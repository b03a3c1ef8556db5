import type { OneGoBench } from "../harness/bench.ts";
import { msSince, sleep } from "../harness/clock.ts";
import { freshContext } from "../harness/context.ts";
import { paced } from "../harness/paced.ts";
import { payload } from "../harness/payload.ts";
import { collect, idleCpu, startRole } from "../harness/roles.ts";
import { percentile } from "../harness/statistics.ts";

const WARM_UP = 20;

export const queueLatency: OneGoBench = {
  name: "queue-latency",
  question:
    "An idle worker in another process, concurrency 10; 200 jobs, one every 5 ms. Time from just before the enqueue call to the start of the handler. Idle CPU is that of the waiting worker process (all its threads, not its server), before the first job of the first round.",
  metrics: {
    p50: {
      title: "enqueue to handler p50",
      unit: "ms",
      better: "less",
      goal: { ratio: 3 },
    },
    p99: { title: "p99", unit: "ms", better: "less", goal: { atMost: 3 } },
    call: { title: "enqueue call p50", unit: "ms", better: "less", aside: true },
    idleCpu: { title: "idle worker", unit: "% of a core", better: "less", aside: true },
    duplicates: { title: "delivered twice", unit: "jobs", better: "less", aside: true },
  },
  takesPart: ({ queue }) => queue !== undefined,
  async run(peer, { quick, round }) {
    const { queue } = peer;
    if (queue === undefined) throw new Error(`${peer.id} has no queue`);
    const n = quick ? 100 : 200;
    const context = freshContext("latency");
    await queue.prepare(context);
    const producer = await queue.producer(context);
    const worker = startRole(peer, { role: "queue", context, total: n + WARM_UP });
    try {
      await worker.receive("ready");
      await sleep(300);
      // not a matter of speed: once is enough
      const cpu = round > 0 ? undefined : await idleCpu(worker, quick ? 300 : 1_500);
      const calls: number[] = [];
      await paced(WARM_UP + n, 5, async (seq) => {
        const job = payload(seq);
        const added = producer.add(job);
        if (!producer.sync) await added;
        if (seq >= WARM_UP) calls.push(msSince(job.sentAt));
      });
      await worker.receive("done", 60_000);
      const { arrivals, duplicates } = await collect(worker);
      const delays = arrivals.filter(([seq]) => seq >= WARM_UP).map(([, , delay]) => delay);
      return {
        p50: { value: percentile(delays, 50), n },
        p99: { value: percentile(delays, 99), n },
        call: { value: percentile(calls, 50), n },
        ...(cpu === undefined ? {} : { idleCpu: { value: cpu, n: 1 } }),
        duplicates: { value: duplicates, n },
      };
    } finally {
      await worker.stop();
      await producer.close();
    }
  },
};
