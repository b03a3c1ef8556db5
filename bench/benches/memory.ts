import type { Measures, OneGoBench } from "../harness/bench.ts";
import { now, secondsSince } from "../harness/clock.ts";
import { type Context, freshContext } from "../harness/context.ts";
import { residentMiB } from "../harness/machine.ts";
import { type Payload, payload, payloads } from "../harness/payload.ts";
import type { Peer } from "../harness/peer.ts";
import { peerById } from "../harness/peers.ts";
import { type Conversation, startChild } from "../harness/processes.ts";
import { CONCURRENCY } from "../harness/roles.ts";

const BATCH = 1_000;
/** Bytes of the bodies that are replayed. */
const BODY = "x".repeat(2_000);

export const memory: OneGoBench = {
  name: "memory",
  question:
    "Resident memory of a process of its own while it drains 1,000,000 waiting jobs (one worker, concurrency 10), and while it replays a stream of 1 GB (2 kB per message) from its first message. Growth is the most it held in the second half, as a share of the most in the first half. In the first round only.",
  metrics: {
    jobsGrowth: { title: "jobs: growth", unit: "×", better: "less", goal: { atMost: 1.1 } },
    jobsPeak: { title: "jobs: peak", unit: "MiB", better: "less" },
    jobsRate: { title: "jobs: drained", unit: "jobs/s", better: "more" },
    streamGrowth: { title: "stream: growth", unit: "×", better: "less", goal: { atMost: 1.1 } },
    streamPeak: { title: "stream: peak", unit: "MiB", better: "less" },
    streamRate: { title: "stream: replayed", unit: "MB/s", better: "more" },
  },
  takesPart: ({ queue, stream: log, durability }) =>
    queue !== undefined && log !== undefined && durability !== "disk",
  async run(peer, { quick, round }) {
    if (round > 0) return {}; // not a matter of speed: once is enough
    return {
      ...(await jobs(peer, quick ? 20_000 : 1_000_000)),
      ...(await replay(peer, quick ? 10_000 : 500_000)),
    };
  },
};

interface ConsumeInput {
  readonly peer: string;
  readonly context: Context;
  readonly total: number;
}

interface Consumed {
  readonly growth: number;
  readonly peakMiB: number;
  readonly seconds: number;
}

async function jobs(peer: Peer, total: number): Promise<Measures> {
  const context = freshContext("memory");
  await peer.queue?.prepare(context);
  const producer = await peer.queue?.producer(context);
  for (let i = 0; i < total; i += BATCH) await producer?.addMany(payloads(i, BATCH));
  await producer?.close();
  const { growth, peakMiB, seconds } = await consume("drain", { peer: peer.id, context, total });
  return {
    jobsGrowth: { value: growth, n: total },
    jobsPeak: { value: peakMiB, n: total },
    jobsRate: { value: total / seconds, n: total },
  };
}

async function replay(peer: Peer, total: number): Promise<Measures> {
  const context = freshContext("memory");
  await peer.stream?.prepare(context);
  const log = await peer.stream?.connect(context);
  for (let i = 0; i < total; i += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, k) => ({ ...payload(i + k), body: BODY }));
    await log?.appendMany(batch);
  }
  await log?.close();
  const { growth, peakMiB, seconds } = await consume("follow", { peer: peer.id, context, total });
  return {
    streamGrowth: { value: growth, n: total },
    streamPeak: { value: peakMiB, n: total },
    streamRate: { value: (total * BODY.length) / 1e6 / seconds, n: total },
  };
}

async function consume(name: "drain" | "follow", input: ConsumeInput): Promise<Consumed> {
  const child = startChild({ module: import.meta.url, name, input });
  try {
    return await child.receive<Consumed>("consumed", 600_000);
  } finally {
    await child.stop();
  }
}

/** Runs in a process of its own. */
export async function drain(input: ConsumeInput, main: Conversation): Promise<void> {
  const { queue } = await peerById(input.peer);
  await sampled(input.total, main, (handler) =>
    queue?.worker(input.context, { concurrency: CONCURRENCY, handler }),
  );
}

/** Runs in a process of its own. */
export async function follow(input: ConsumeInput, main: Conversation): Promise<void> {
  const { stream } = await peerById(input.peer);
  await sampled(input.total, main, (handler) => stream?.follow(input.context, handler));
}

async function sampled(
  total: number,
  main: Conversation,
  start: (handler: (payload: Payload) => void) => unknown,
): Promise<void> {
  const every = Math.max(1, Math.floor(total / 200));
  const samples: number[] = [];
  const started = now();
  let seen = 0;
  await new Promise<void>((resolve) => {
    void start(() => {
      seen += 1;
      if (seen % every === 0) samples.push(residentMiB());
      if (seen === total) resolve();
    });
  });
  const half = samples.length >> 1;
  const first = Math.max(...samples.slice(0, half));
  const second = Math.max(...samples.slice(half));
  main.send("consumed", {
    growth: second / first,
    peakMiB: Math.max(first, second),
    seconds: secondsSince(started),
  } satisfies Consumed);
}
