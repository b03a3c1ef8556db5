// What the helper processes of the benches do.
import { now } from "./clock.ts";
import type { Context } from "./context.ts";
import { cpuPercent } from "./machine.ts";
import type { Payload } from "./payload.ts";
import type { Peer } from "./peer.ts";
import { peerById } from "./peers.ts";
import { type Child, type Conversation, startChild } from "./processes.ts";

/** Which peer's part runs in the helper, and until when. */
export interface RoleInput {
  readonly peer: string;
  readonly role: "queue" | "outbox" | "pubsub" | "stream";
  readonly context: Context;
  /** `done` is sent when this many different payloads were seen. */
  readonly total: number;
  /** Start at the message `go` rather than at once. */
  readonly hold?: boolean;
}

export interface Ready {
  readonly startedAt: number;
}

export interface Done {
  readonly startedAt: number;
  readonly at: number;
}

export interface Samples {
  /** When each payload arrived ({@link now}), by its `seq`. */
  readonly arrivals: readonly (readonly [seq: number, at: number, latencyMs: number])[];
  readonly duplicates: number;
}

export const CONCURRENCY = 10;

export function startRole(peer: Peer, input: Omit<RoleInput, "peer">): Child {
  return startChild({
    module: import.meta.url,
    name: "receiver",
    input: { ...input, peer: peer.id } satisfies RoleInput,
  });
}

/** Receives payloads through one part of a peer and notes when each came. */
export async function receiver(input: RoleInput, main: Conversation): Promise<void> {
  const peer = await peerById(input.peer);
  const arrivals = new Map<number, readonly [number, number, number]>();
  let duplicates = 0;
  let startedAt = 0;
  const handler = (payload: Payload): void => {
    const at = now();
    if (arrivals.has(payload.seq)) {
      duplicates += 1;
      return;
    }
    arrivals.set(payload.seq, [payload.seq, at, (at - payload.sentAt) / 1e6]);
    if (arrivals.size === input.total) main.send("done", { startedAt, at } satisfies Done);
  };
  main.send("booted");
  if (input.hold === true) await main.receive("go");
  startedAt = now();
  await start(peer, input, handler);
  main.send("ready", { startedAt } satisfies Ready);
  void answer(main, "cpu", (ms) => cpuPercent(ms as number));
  void answer(main, "collect", () => ({ arrivals: [...arrivals.values()], duplicates }));
  await new Promise(() => {}); // until told to stop
}

async function answer(
  main: Conversation,
  question: string,
  reply: (data: unknown) => unknown,
): Promise<void> {
  for (;;) {
    const data = await main.receive(question, 2 ** 31 - 1);
    main.send(`${question}-answer`, await reply(data));
  }
}

async function start(
  peer: Peer,
  { role, context }: RoleInput,
  handler: (payload: Payload) => void,
): Promise<void> {
  const options = { concurrency: CONCURRENCY, handler: async (p: Payload) => handler(p) };
  if (role === "queue") await peer.queue?.worker(context, options);
  else if (role === "outbox") await peer.outbox?.worker(context, options);
  else if (role === "stream") await peer.stream?.follow(context, handler);
  else await (await peer.pubsub?.connect(context))?.subscribe(handler);
}

export async function idleCpu(child: Child, ms: number): Promise<number> {
  child.send("cpu", ms);
  return child.receive<number>("cpu-answer");
}

export async function collect(child: Child): Promise<Samples> {
  child.send("collect");
  return child.receive<Samples>("collect-answer");
}
