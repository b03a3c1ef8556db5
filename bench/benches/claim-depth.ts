import { type Measure, rate, type StagedBench } from "../harness/bench.ts";
import { now, secondsSince } from "../harness/clock.ts";
import { freshContext } from "../harness/context.ts";
import { payload, payloads } from "../harness/payload.ts";
import type { Claimer, Producer } from "../harness/peer.ts";

/** Jobs that wait behind the one that is claimed, after the empty queue. */
const DEPTHS = [10_000, 100_000, 1_000_000];
const MOST = 3_000;
const BATCH = 1_000;

export const claimDepth: StagedBench = {
  name: "claim-depth",
  question:
    "Claim one job and acknowledge it, one after the other in one process, while 0, 10,000, 100,000 and 1,000,000 others wait in the same queue. At 0 the queue is empty but for that job, whose enqueue is not timed. The store is filled once, and up again before each measurement. Flat is the rate at 1,000,000 as a share of the rate at 0.",
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
  stages: ["empty", ...DEPTHS.map((depth) => `${depth} waiting`)],
  async open({ id, queue }, { quick }) {
    if (queue?.claimer === undefined) throw new Error(`${id} cannot claim one by one`);
    const context = freshContext("depth");
    await queue.prepare(context);
    const producer = await queue.producer(context);
    const claimer = await queue.claimer(context);
    const seconds = quick ? 0.2 : 0.6;
    const whenEmpty: number[] = [];
    let waiting = 0;
    const fillTo = async (depth: number): Promise<void> => {
      await fill(producer, depth - waiting);
      waiting = depth;
    };
    const sized = (depth: number): number => (quick ? depth / 100 : depth);
    return {
      async prepare(stage) {
        if (stage === 0)
          await emptyQueue(producer, claimer, quick ? 0.1 : 0.5); // warm-up
        else await fillTo(sized(DEPTHS[stage - 1] as number));
      },
      async measure(stage, round) {
        if (stage === 0) {
          const at0 = await emptyQueue(producer, claimer, seconds);
          whenEmpty[round] = at0.value;
          return { at0 };
        }
        const depth = DEPTHS[stage - 1] as number;
        await fillTo(sized(depth));
        const measured = await claimFrom(claimer, seconds, quick ? 50 : MOST);
        waiting -= measured.n;
        if (stage < DEPTHS.length) return { [`at${depth}`]: measured };
        const flat = measured.value / (whenEmpty[round] ?? Number.NaN);
        return { [`at${depth}`]: measured, flat: { value: flat, n: measured.n } };
      },
      async close() {
        await claimer.close();
        await producer.close();
      },
    };
  },
};

async function fill(producer: Producer, count: number): Promise<void> {
  for (let i = 0; i < count; i += BATCH) {
    await producer.addMany(payloads(i, Math.min(BATCH, count - i)));
  }
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
