import { type Measure, type Measures, type OneGoBench, rate } from "../harness/bench.ts";
import { now, secondsSince, sleep } from "../harness/clock.ts";
import { type Context, freshContext } from "../harness/context.ts";
import { payload } from "../harness/payload.ts";
import type { OutboxPeer, Peer } from "../harness/peer.ts";
import { peerById } from "../harness/peers.ts";
import { startChild } from "../harness/processes.ts";
import { type Done, startRole } from "../harness/roles.ts";

const IN_FLIGHT = 10;

export const outbox: OneGoBench = {
  name: "outbox",
  question:
    "One business row and one job, 2,000 times, while a worker in another process handles the jobs; then producers killed (SIGKILL) between the two writes, and how many rows are left without their job or jobs without their row.",
  metrics: {
    write: { title: "writes, each awaited", unit: "writes/s", better: "more" },
    writeInFlight: { title: "10 in flight", unit: "writes/s", better: "more" },
    delivered: { title: "written and handled", unit: "rows/s", better: "more" },
    lost: {
      title: "rows without a job",
      unit: "of all kills",
      better: "less",
      goal: { atMost: 0 },
      flushedGoal: { atMost: 0 },
      aside: true,
    },
    invented: {
      title: "jobs without a row",
      unit: "of all kills",
      better: "less",
      goal: { atMost: 0 },
      flushedGoal: { atMost: 0 },
      aside: true,
    },
  },
  takesPart: (peer) => peer.outbox !== undefined,
  async run(peer, { quick, round }) {
    const { outbox: tried } = peer;
    if (tried === undefined) throw new Error(`${peer.id} has no outbox`);
    const written = await writing(peer, tried, quick ? 300 : 2_000);
    if (round > 0) return written; // the kills are not a matter of speed: once is enough
    return { ...written, ...(await killing(peer, tried, quick ? 2 : 10)) };
  },
};

async function writing(peer: Peer, tried: OutboxPeer, n: number): Promise<Measures> {
  const one = await written(peer, tried, n, 1);
  if (one.sync) return { write: one.write, writeInFlight: one.write, delivered: one.delivered };
  const { write } = await written(peer, tried, n, IN_FLIGHT);
  return { write: one.write, writeInFlight: write, delivered: one.delivered };
}

interface Written {
  readonly sync: boolean;
  readonly write: Measure;
  readonly delivered: Measure;
}

async function written(
  peer: Peer,
  tried: OutboxPeer,
  n: number,
  inFlight: number,
): Promise<Written> {
  const context = freshContext("outbox");
  await tried.prepare(context);
  const writer = await tried.writer(context);
  const worker = startRole(peer, { role: "outbox", context, total: n });
  try {
    await worker.receive("ready");
    await sleep(300);
    let next = 0;
    const start = now();
    if (writer.sync) {
      // a turn of the event loop now and then, as a server would have it
      while (next < n) {
        writer.write(payload(next++));
        if (next % 50 === 0) await new Promise(setImmediate);
      }
    } else {
      const lane = async (): Promise<void> => {
        while (next < n) await writer.write(payload(next++));
      };
      await Promise.all(Array.from({ length: inFlight }, lane));
    }
    const write = rate(n, secondsSince(start));
    const { at } = await worker.receive<Done>("done", 60_000);
    return { sync: writer.sync, write, delivered: rate(n, (at - start) / 1e9) };
  } finally {
    await worker.stop();
    await writer.close();
  }
}

interface CrashInput {
  readonly peer: string;
  readonly context: Context;
  readonly seq: number;
  readonly point: string;
}

/** Runs in a process of its own, which does not outlive it. */
export async function crash({ peer, context, seq, point }: CrashInput): Promise<void> {
  const writer = await (await peerById(peer)).outbox?.writer(context);
  await writer?.crash(seq, point);
}

const CONTROL = 999;

async function killing(peer: Peer, tried: OutboxPeer, kills: number): Promise<Measures> {
  let lost = 0;
  let invented = 0;
  for (const point of tried.crashPoints) {
    const context = freshContext("kill");
    await tried.prepare(context);
    for (let seq = 1; seq <= kills; seq++) {
      const input = { peer: peer.id, context, seq, point } satisfies CrashInput;
      const child = startChild({ module: import.meta.url, name: "crash", input });
      const { signal } = await child.exited();
      if (signal !== "SIGKILL") throw new Error(`the process to be killed ended by ${signal}`);
    }
    // a write that is not killed must be seen on both sides, or the audit is blind
    const writer = await tried.writer(context);
    await writer.write(payload(CONTROL));
    await writer.close();
    const found = await tried.audit(context);
    const rows = new Set(found.rows);
    const jobs = new Set(found.jobs);
    if (!rows.has(CONTROL) || !jobs.has(CONTROL)) throw new Error("the audit misses a whole write");
    lost += [...rows].filter((seq) => !jobs.has(seq)).length;
    invented += [...jobs].filter((seq) => !rows.has(seq)).length;
  }
  const n = kills * tried.crashPoints.length;
  return { lost: { value: lost, n }, invented: { value: invented, n } };
}
