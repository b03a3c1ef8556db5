import { type OneGoBench, rate } from "../harness/bench.ts";
import { now, secondsSince } from "../harness/clock.ts";
import { freshContext } from "../harness/context.ts";
import { payload, payloads } from "../harness/payload.ts";
import type { Producer } from "../harness/peer.ts";

const MOST = 40_000;
const IN_FLIGHT = 100;
const BATCH = 1_000;

export const queueEnqueue: OneGoBench = {
  name: "queue-enqueue",
  question:
    "Jobs per second that one process can enqueue: each awaited, 100 in flight, and 1,000 per call in the peer's own bulk call or one transaction.",
  metrics: {
    single: {
      title: "one by one",
      unit: "jobs/s",
      better: "more",
      goal: { ratio: 1.5, atLeast: 30_000 },
    },
    inFlight: { title: "100 in flight", unit: "jobs/s", better: "more" },
    batch: {
      title: "1,000 per call",
      unit: "jobs/s",
      better: "more",
      goal: { ratio: 1.5, atLeast: 200_000 },
    },
  },
  takesPart: ({ queue }) => queue !== undefined,
  async run(peer, { quick }) {
    const { queue } = peer;
    if (queue === undefined) throw new Error(`${peer.id} has no queue`);
    const context = freshContext("enqueue");
    const seconds = quick ? 0.3 : 0.5;
    await queue.prepare(context);
    const producer = await queue.producer(context);
    try {
      await one(producer, 0.2);
      const single = await one(producer, seconds);
      // a call that has done its work when it returns cannot be in flight: the same loop again
      const inFlight = producer.sync ? await one(producer, seconds) : await many(producer, seconds);
      await producer.addMany(payloads(0, BATCH));
      const batches = quick ? 2 : 20;
      let busy = 0;
      for (let i = 0; i < batches; i++) {
        const batch = payloads(i * BATCH, BATCH);
        const start = now();
        await producer.addMany(batch);
        busy += secondsSince(start);
      }
      return { single, inFlight, batch: rate(batches * BATCH, busy) };
    } finally {
      await producer.close();
    }
  },
};

async function one(producer: Producer, seconds: number): Promise<ReturnType<typeof rate>> {
  const start = now();
  let n = 0;
  while (n < MOST && secondsSince(start) < seconds) {
    const added = producer.add(payload(n));
    if (!producer.sync) await added;
    n += 1;
  }
  return rate(n, secondsSince(start));
}

async function many(producer: Producer, seconds: number): Promise<ReturnType<typeof rate>> {
  const start = now();
  let n = 0;
  const lane = async (): Promise<void> => {
    while (n < MOST && secondsSince(start) < seconds) {
      n += 1;
      await producer.add(payload(n));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return rate(n, secondsSince(start));
}
