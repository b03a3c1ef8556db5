import { type Goal, type Measures, type OneGoBench, rate } from "../harness/bench.ts";
import { now, secondsSince, sleep } from "../harness/clock.ts";
import { freshContext } from "../harness/context.ts";
import { paced } from "../harness/paced.ts";
import { payload, payloads } from "../harness/payload.ts";
import type { Log, Peer, StreamPeer } from "../harness/peer.ts";
import { collect, startRole } from "../harness/roles.ts";
import { percentile } from "../harness/statistics.ts";

const GOAL: Goal = { ratio: 2, against: ["redis-streams", "nats"], equalDurability: true };
const MOST = 40_000;
const IN_FLIGHT = 100;
const READ = 256;
/** A multiple of what is read at a time: no peer has to wait for a last batch to fill up. */
const BATCH = 4 * READ;
const WARM_UP = 20;

export const stream: OneGoBench = {
  name: "stream",
  question:
    "A durable log: publish with each call awaited, with 100 in flight, and 1,024 per call; read 20,480 as one consumer whose offset (or acks) is saved every 256; delay to a consumer in another process, 300 messages, one every 5 ms.",
  metrics: {
    single: { title: "publish one by one", unit: "messages/s", better: "more", goal: GOAL },
    inFlight: { title: "100 in flight", unit: "messages/s", better: "more" },
    batch: { title: "1,024 per call", unit: "messages/s", better: "more", goal: GOAL },
    consume: { title: "consume", unit: "messages/s", better: "more", goal: GOAL },
    p50: { title: "to a consumer in another process, p50", unit: "ms", better: "less" },
    p99: { title: "p99", unit: "ms", better: "less" },
  },
  takesPart: (peer) => peer.stream !== undefined,
  async run(peer, { quick }) {
    const { stream: log } = peer;
    if (log === undefined) throw new Error(`${peer.id} has no stream`);
    const published = await publishing(log, quick ? 0.3 : 0.5);
    const consumed = await consuming(log, (quick ? 3 : 20) * BATCH);
    return { ...published, ...consumed, ...(await following(peer, log, quick ? 60 : 300)) };
  },
};

async function publishing(peer: StreamPeer, seconds: number): Promise<Measures> {
  const context = freshContext("stream");
  await peer.prepare(context);
  const log = await peer.connect(context);
  await appendOne(log, 0.2);
  const single = await appendOne(log, seconds);
  // a call that has done its work when it returns cannot be in flight: the same loop again
  const inFlight = log.sync ? await appendOne(log, seconds) : await appendMany(log, seconds);
  await log.close();
  return { single, inFlight };
}

async function appendOne(log: Log, seconds: number): Promise<ReturnType<typeof rate>> {
  const start = now();
  let n = 0;
  while (n < MOST && secondsSince(start) < seconds) {
    const appended = log.append(payload(n));
    if (!log.sync) await appended;
    n += 1;
  }
  return rate(n, secondsSince(start));
}

async function appendMany(log: Log, seconds: number): Promise<ReturnType<typeof rate>> {
  const start = now();
  let n = 0;
  const lane = async (): Promise<void> => {
    while (n < MOST && secondsSince(start) < seconds) {
      n += 1;
      await log.append(payload(n));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return rate(n, secondsSince(start));
}

async function consuming(peer: StreamPeer, total: number): Promise<Measures> {
  const context = freshContext("stream");
  await peer.prepare(context);
  const log = await peer.connect(context);
  let busy = 0;
  for (let i = 0; i < total; i += BATCH) {
    const batch = payloads(i, BATCH);
    const start = now();
    await log.appendMany(batch);
    busy += secondsSince(start);
  }
  let next = 0;
  const start = now();
  while (next < total) {
    const read = log.read(READ);
    for (const { seq } of read instanceof Promise ? await read : read) {
      if (seq !== next) throw new Error(`message ${next} expected, got ${seq}`);
      next += 1;
    }
    if (secondsSince(start) > 60) throw new Error(`read ${next} of ${total} in 60 s`);
  }
  const consume = rate(total, secondsSince(start));
  await log.close();
  return { batch: rate(total, busy), consume };
}

async function following(peer: Peer, log: StreamPeer, n: number): Promise<Measures> {
  const context = freshContext("stream");
  await log.prepare(context);
  const writer = await log.connect(context);
  const follower = startRole(peer, { role: "stream", context, total: n + WARM_UP });
  try {
    await follower.receive("ready");
    await sleep(300);
    await paced(n + WARM_UP, 5, (seq) => writer.append(payload(seq)));
    await follower.receive("done", 20_000);
    const { arrivals } = await collect(follower);
    const delays = arrivals.filter(([seq]) => seq >= WARM_UP).map(([, , delay]) => delay);
    return {
      p50: { value: percentile(delays, 50), n },
      p99: { value: percentile(delays, 99), n },
    };
  } finally {
    await follower.stop();
    await writer.close();
  }
}
