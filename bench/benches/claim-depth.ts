import { type Bench, type Measure, rate } from "../harness/bench.ts";
import { now, secondsSince } from "../harness/clock.ts";
import { freshContext } from "../harness/context.ts";
import { payload, payloads } from "../harness/payload.ts";
import type { Claimer, Producer } from "../harness/peer.ts";

/** Jobs that wait behind the one that is claimed, after the empty queue. */
const DEPTHS = [10_000, 100_000, 1_000_000];
const MOST = 5_000;
const BATCH = 1_000;

export const claimDepth: Bench = {
  name: "claim-depth",
  question:
    "Claim one job and acknowledge it, one after the other in one process, while 0, 10,000, 100,000 and 1,000,000 others wait in the same queue. At 0 the queue is empty but for that job, whose enqueue is not timed. Flat is the rate at 1,000,000 as a share of the rate at 0.",
  metrics: {
    at0: {
      title: "0 waiting",
      unit: "jobs/s",
      better: "more",
      goal: { ratio: 1, atLeast: 15_000 },
    },
    at10000: {
      title: "10,000",
      unit: "jobs/s",
      better: "more",
      goal: { ratio: 1, atLeast: 15_000 },
    },
    at100000: {
      title: "100,000",
      unit: "jobs/s",
      better: "more",
      goal: { ratio: 1, atLeast: 15_000 },
    },
    at1000000: {
      title: "1,000,000",
      unit: "jobs/s",
      better: "more",
      goal: { ratio: 1, atLeast: 15_000 },
    },
    flat: {
      title: "flat",
      unit: "×",
      better: "more",
      goal: { atLeast: 0.8 },
      flushedGoal: { atLeast: 0.8 },
      aside: true,
    },
  },
  takesPart: ({ queue }) => queue?.claimer !== undefined,
  async run(peer, { quick }) {
    const { queue } = peer;
    if (queue?.claimer === undefined) throw new Error(`${peer.id} cannot claim one by one`);
    const context = freshContext("depth");
    await queue.prepare(context);
    const producer = await queue.producer(context);
    const claimer = await queue.claimer(context);
    const seconds = quick ? 0.2 : 1.5;
    const measures = new Map<string, Measure>();
    try {
      await emptyQueue(producer, claimer, quick ? 0.1 : 0.5); // warm-up
      const first = await emptyQueue(producer, claimer, seconds);
      measures.set("at0", first);
      let waiting = 0;
      let last = first;
      for (const depth of DEPTHS) {
        waiting += await fill(producer, (quick ? depth / 100 : depth) - waiting);
        last = await claimFrom(claimer, seconds, quick ? 50 : MOST);
        waiting -= last.n;
        measures.set(`at${depth}`, last);
      }
      measures.set("flat", { value: last.value / first.value, n: last.n });
      return Object.fromEntries(measures);
    } finally {
      await claimer.close();
      await producer.close();
    }
  },
};

async function fill(producer: Producer, count: number): Promise<number> {
  for (let i = 0; i < count; i += BATCH) {
    await producer.addMany(payloads(i, Math.min(BATCH, count - i)));
  }
  return Math.max(0, count);
}

async function claimFrom(claimer: Claimer, seconds: number, most: number): Promise<Measure> {
  let n = 0;
  const start = now();
  while (n < most && secondsSince(start) < seconds) {
    const claimed = claimer.claimAndAck();
    if (!(claimer.sync ? claimed : await claimed)) throw new Error("the queue ran empty");
    n += 1;
  }
  return rate(n, secondsSince(start));
}

async function emptyQueue(producer: Producer, claimer: Claimer, seconds: number): Promise<Measure> {
  let n = 0;
  let busy = 0;
  const start = now();
  while (n < MOST && secondsSince(start) < seconds) {
    await producer.add(payload(n));
    const before = now();
    const claimed = claimer.claimAndAck();
    if (!(claimer.sync ? claimed : await claimed)) throw new Error("the job is not there");
    busy += secondsSince(before);
    n += 1;
  }
  return rate(n, busy);
}
