import { readdirSync } from "node:fs";
import type { Measures, OneGoBench } from "../harness/bench.ts";
import { now, sleep } from "../harness/clock.ts";
import { freshFolder } from "../harness/context.ts";
import { cpuPercent, residentMiB, threadCount } from "../harness/machine.ts";
import { peerById } from "../harness/peers.ts";
import { type Conversation, startChild } from "../harness/processes.ts";
import { median } from "../harness/statistics.ts";

const COMMITS = 20;

export const idle: OneGoBench = {
  name: "idle",
  question:
    "1,000 open files of one folder in one process, a listener on each, nothing happening: CPU over 4 s, threads, memory and descriptors. Then another process commits to 20 of them, one after the other: time from the commit to the listener.",
  metrics: {
    cpu: { title: "idle CPU", unit: "% of a core", better: "less", goal: { atMost: 1 } },
    addedThreads: {
      title: "threads, 1,000 files more than 1",
      unit: "threads",
      better: "less",
      goal: { atMost: 0 },
    },
    residentPerFile: { title: "memory per file", unit: "KiB", better: "less" },
    descriptorsPerFile: { title: "descriptors per file", unit: "", better: "less", aside: true },
    wake: { title: "wake from another process, median", unit: "ms", better: "less" },
  },
  takesPart: ({ openMany }) => openMany !== undefined,
  async run(peer, { quick }) {
    const files = quick ? 100 : 1_000;
    const folder = freshFolder("idle");
    const holder = startChild({
      module: import.meta.url,
      name: "hold",
      input: { peer: peer.id, folder, files, measureMs: quick ? 1_000 : 4_000 },
    });
    const writer = startChild({
      module: import.meta.url,
      name: "commit",
      input: { peer: peer.id, folder },
    });
    try {
      const measures = await holder.receive<Measures>("idle", 300_000);
      const delays: number[] = [];
      for (let i = 0; i < COMMITS; i++) {
        const index = (i * 37) % files;
        holder.send("listen", index);
        await holder.receive("listening");
        await sleep(20);
        writer.send("commit", index);
        const committed = await writer.receive<number>("committed");
        const woken = await holder.receive<number>("woken", 20_000);
        delays.push((woken - committed) / 1e6);
      }
      return { ...measures, wake: { value: median(delays), n: COMMITS } };
    } finally {
      await holder.stop();
      await writer.stop();
    }
  },
};

interface HoldInput {
  readonly peer: string;
  readonly folder: string;
  readonly files: number;
  readonly measureMs: number;
}

/** Runs in a process of its own: opens the files and listens. */
export async function hold(input: HoldInput, main: Conversation): Promise<void> {
  const { folder, files, measureMs } = input;
  const { openMany } = await peerById(input.peer);
  if (openMany === undefined) throw new Error(`${input.peer} cannot open many files`);
  const single = await openMany(freshFolder("one"), 1);
  await sleep(1_000);
  const threads = threadCount();
  const resident = residentMiB();
  const descriptors = descriptorCount();
  const many = await openMany(folder, files);
  await sleep(2_000);
  const cpu = await cpuPercent(measureMs);
  main.send("idle", {
    cpu: { value: cpu, n: files },
    addedThreads: { value: threadCount() - threads, n: files },
    residentPerFile: { value: ((residentMiB() - resident) * 1024) / files, n: files },
    descriptorsPerFile: { value: (descriptorCount() - descriptors) / files, n: files },
  } satisfies Measures);
  await single.close();
  for (;;) {
    const index = await main.receive<number>("listen", 2 ** 31 - 1);
    const woken = many.woken(index);
    main.send("listening");
    main.send("woken", await woken);
  }
}

/** Runs in a process of its own: commits to one of the files on demand. */
export async function commit(
  input: Pick<HoldInput, "peer" | "folder">,
  main: Conversation,
): Promise<void> {
  const { commitTo } = await peerById(input.peer);
  if (commitTo === undefined) throw new Error(`${input.peer} cannot commit`);
  for (;;) {
    const index = await main.receive<number>("commit", 2 ** 31 - 1);
    commitTo(input.folder, index);
    main.send("committed", now());
  }
}

function descriptorCount(): number {
  return readdirSync("/proc/self/fd").length;
}
