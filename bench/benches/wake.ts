import type { Measures, Metric, OneGoBench } from "../harness/bench.ts";
import { msSince, now, sleep } from "../harness/clock.ts";
import { freshContext } from "../harness/context.ts";
import { paced } from "../harness/paced.ts";
import { payload } from "../harness/payload.ts";
import type { Channel, Peer, PubSubPeer } from "../harness/peer.ts";
import { collect, idleCpu, startRole } from "../harness/roles.ts";
import { percentile } from "../harness/statistics.ts";

const WARM_UP = 20;
const GAP_MS = 5;

export const wake: OneGoBench = {
  name: "wake",
  question:
    "200 notifications, one every 5 ms, to a listener in the same process and to one in another process. From commit: since the publishing call returned; from call: since just before it, the call included.",
  metrics: {
    sameCommitP50: fromCommit("same process, from commit, p50", 0.2),
    sameCommitP99: fromCommit("p99"),
    sameCallP50: { title: "from call, p50", unit: "ms", better: "less" },
    sameCallP99: { title: "p99", unit: "ms", better: "less" },
    otherCommitP50: fromCommit("other process, from commit, p50", 1),
    otherCommitP99: fromCommit("p99", 3),
    otherCallP50: { title: "from call, p50", unit: "ms", better: "less", goal: { atMost: 0.7 } },
    otherCallP99: { title: "p99", unit: "ms", better: "less", goal: { atMost: 3 } },
    lost: {
      title: "lost",
      unit: "messages",
      better: "less",
      goal: { atMost: 0 },
      flushedGoal: { atMost: 0 },
      aside: true,
    },
    idleCpu: { title: "idle listener", unit: "% of a core", better: "less", aside: true },
  },
  takesPart: ({ pubsub }) => pubsub !== undefined,
  async run(peer, { quick, round }) {
    const { pubsub } = peer;
    if (pubsub === undefined) throw new Error(`${peer.id} has no publish and subscribe`);
    const n = quick ? 100 : 200;
    const same = await sameProcess(pubsub, n);
    if (pubsub.sameProcessOnly === true) return same;
    return { ...same, ...(await otherProcess(peer, pubsub, { n, round })) };
  },
};

async function sameProcess(pubsub: PubSubPeer, n: number): Promise<Measures> {
  const context = freshContext("wake");
  await pubsub.prepare(context);
  const channel = await pubsub.connect(context);
  const arrivals = new Map<number, number>();
  await channel.subscribe(({ seq }) => arrivals.set(seq, now()));
  await sleep(200);
  const sent = await publish(channel, n);
  await settle(() => arrivals.size === n + WARM_UP);
  await channel.close();
  return delays("same", sent, arrivals, n);
}

async function otherProcess(
  peer: Peer,
  pubsub: PubSubPeer,
  { n, round }: { readonly n: number; readonly round: number },
): Promise<Measures> {
  const context = freshContext("wake");
  await pubsub.prepare(context);
  const listener = startRole(peer, { role: "pubsub", context, total: n + WARM_UP });
  const channel = await pubsub.connect(context);
  try {
    await listener.receive("ready");
    await sleep(300);
    // not a matter of speed: once is enough
    const cpu = round > 0 ? undefined : await idleCpu(listener, 1_500);
    const sent = await publish(channel, n);
    // what does not come is counted below
    await listener.receive("done", 5_000).catch(() => {});
    const samples = await collect(listener);
    const arrivals = new Map(samples.arrivals.map(([seq, at]) => [seq, at]));
    return {
      ...delays("other", sent, arrivals, n),
      lost: { value: n + WARM_UP - arrivals.size, n: n + WARM_UP },
      ...(cpu === undefined ? {} : { idleCpu: { value: cpu, n: 1 } }),
    };
  } finally {
    await listener.stop();
    await channel.close();
  }
}

/** Aside: a peer may deliver before its call returns, and what the call took is then missing. */
function fromCommit(title: string, atMost?: number): Metric {
  const metric = { title, unit: "ms", better: "less", aside: true } as const;
  return atMost === undefined ? metric : { ...metric, goal: { atMost } };
}

interface Sent {
  readonly called: number;
  readonly returned: number;
}

async function publish(channel: Channel, n: number): Promise<Sent[]> {
  const sent: Sent[] = [];
  await paced(n + WARM_UP, GAP_MS, async (seq) => {
    const message = payload(seq);
    const published = channel.publish(message);
    if (published instanceof Promise) await published;
    sent.push({ called: message.sentAt, returned: now() });
  });
  return sent;
}

function delays(
  where: "same" | "other",
  sent: readonly Sent[],
  arrivals: ReadonlyMap<number, number>,
  n: number,
): Measures {
  const fromCommit: number[] = [];
  const fromCall: number[] = [];
  for (const [seq, at] of arrivals) {
    const times = sent[seq];
    if (times === undefined || seq < WARM_UP) continue;
    // a listener may be called before the publishing call returns to its caller
    fromCommit.push(Math.max(0, at - times.returned) / 1e6);
    fromCall.push((at - times.called) / 1e6);
  }
  return {
    [`${where}CommitP50`]: { value: percentile(fromCommit, 50), n },
    [`${where}CommitP99`]: { value: percentile(fromCommit, 99), n },
    [`${where}CallP50`]: { value: percentile(fromCall, 50), n },
    [`${where}CallP99`]: { value: percentile(fromCall, 99), n },
  };
}

async function settle(arrived: () => boolean): Promise<void> {
  const start = now();
  while (!arrived() && msSince(start) < 3_000) await sleep(5);
}
