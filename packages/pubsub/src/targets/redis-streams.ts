import type { Redis } from "ioredis";
import { type ConsumerNameClaim, claimConsumerName } from "../consumer-name.ts";
import { PubSubError, requireInteger } from "../errors.ts";
import type { RemoteEventTarget } from "../event-target.ts";
import {
  type LogDriver,
  type LogEntry,
  LogEventTarget,
  type LogTargetOptions,
} from "./log-event-target.ts";

/** Options of {@link createRedisStreamEventTarget}. */
export interface RedisStreamEventTargetOptions extends LogTargetOptions {
  /** Connection for commands; reading uses a duplicate of it. Not closed by the target. */
  readonly client: Redis;
  /** Key of the stream; one stream carries all topics. */
  readonly stream: string;
  /** Consumer group: every group gets every event, one consumer of a group gets it. */
  readonly group: string;
  /** Name of this consumer in the group, the same after every restart; see `consumerName()`. */
  readonly consumer: string;
  /** Where a group starts that does not exist yet. Default `start`: with the oldest entry. */
  readonly from?: "start" | "now";
  /** Entries read at once. Default 64. Lower it when events take long. */
  readonly batchSize?: number;
  /** Entries another consumer has not confirmed for this long are taken over, in milliseconds. Default 60,000. */
  readonly claimIdleMs?: number;
  /** Longest time one read waits at the server, in milliseconds. Default 5,000. */
  readonly blockMs?: number;
  /** About how many entries the stream keeps, read or not. Default: all; then trim it yourself. */
  readonly maxLength?: number;
  /** Key of the stream that takes dead letters. Default: the stream's with `:dead`. */
  readonly deadLetterStream?: string;
}

/**
 * Durable pub/sub over one Redis stream and a consumer group. At least once: an event is confirmed when
 * every listener has settled; what a consumer that died had not confirmed goes to the others.
 *
 * Add all listeners before the first `await`: entries of topics nobody listens to are confirmed.
 *
 * @throws {@link PubSubError} `CONSUMER_NAME_TAKEN` when this process already has that consumer
 * @example
 * ```ts
 * import { consumerName, createPubSub } from "@alkdev/pubsub";
 * import { createRedisStreamEventTarget } from "@alkdev/pubsub/redis";
 * import { Redis } from "ioredis";
 *
 * const eventTarget = createRedisStreamEventTarget({
 *   client: new Redis(),
 *   stream: "call-protocol",
 *   group: "projector",
 *   consumer: consumerName({ role: "hub", instance: "eu-1", purpose: "projector" }),
 * });
 * const pubsub = createPubSub<{ "call.requested": { requestId: string } }>({ eventTarget });
 * const calls = pubsub.subscribe("call.requested", "", { buffer: { overflow: "wait" } });
 * ```
 */
export function createRedisStreamEventTarget(
  options: RedisStreamEventTargetOptions,
): RemoteEventTarget {
  return new LogEventTarget(new RedisStreamLog(options), options);
}

/** An entry as Redis gives it: id, then names and values in turn; null fields when it was trimmed. */
type RawEntry = readonly [id: string, fields: readonly string[] | null];

class RedisStreamLog implements LogDriver {
  readonly name = "the Redis Streams event target";
  readonly #options: RedisStreamEventTargetOptions;
  readonly #client: Redis;
  readonly #batchSize: number;
  readonly #claimIdleMs: number;
  readonly #blockMs: number;
  readonly #claim: ConsumerNameClaim;
  readonly #confirming = new Set<Promise<unknown>>();
  /** Ids that were dealt with and whose confirmation failed: not to be delivered again. */
  readonly #done = new Set<string>();
  #prepared = false;

  constructor(options: RedisStreamEventTargetOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#batchSize = options.batchSize ?? 64;
    this.#claimIdleMs = options.claimIdleMs ?? 60_000;
    this.#blockMs = options.blockMs ?? 5_000;
    requireInteger(this.#batchSize, "batchSize", 1);
    requireInteger(this.#claimIdleMs, "claimIdleMs", 1);
    requireInteger(this.#blockMs, "blockMs", 1);
    if (options.maxLength !== undefined) requireInteger(options.maxLength, "maxLength", 1);
    const { host, port, db } = options.client.options;
    const scope = `redis://${host}:${port}/${db}/${options.stream}/${options.group}`;
    this.#claim = claimConsumerName(scope, options.consumer);
  }

  async append(topic: string, json: string): Promise<void> {
    const { stream, maxLength } = this.#options;
    if (maxLength === undefined)
      await this.#client.xadd(stream, "*", "topic", topic, "detail", json);
    else {
      await this.#client.xadd(
        stream,
        "MAXLEN",
        "~",
        maxLength,
        "*",
        "topic",
        topic,
        "detail",
        json,
      );
    }
  }

  async prepare(): Promise<void> {
    const { stream, group, from } = this.#options;
    // a group that vanished while we read it starts over: everything in the stream is newer than it
    const start = from === "now" && !this.#prepared ? "$" : "0";
    try {
      await this.#client.xgroup("CREATE", stream, group, start, "MKSTREAM");
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("BUSYGROUP"))) throw error;
    }
    this.#prepared = true;
  }

  async consume(handle: (entry: LogEntry) => Promise<void>, signal: AbortSignal): Promise<void> {
    // a lost connection must fail the read: what it had been given is then read as history
    const reader = this.#client.duplicate({
      retryStrategy: () => null,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    });
    reader.on("error", () => undefined); // the command that fails says so
    const stop = (): void => reader.disconnect();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await this.#readHistory(reader, handle, signal);
      let claimAt = 0;
      while (!signal.aborted) {
        if (performance.now() >= claimAt) {
          await this.#takeOver(handle, signal);
          claimAt = performance.now() + this.#claimIdleMs / 2;
        }
        await this.#handleAll(await this.#read(reader, ">"), new Map(), { handle, signal });
      }
    } finally {
      signal.removeEventListener("abort", stop);
      reader.disconnect();
    }
  }

  async flush(): Promise<void> {
    await Promise.allSettled(this.#confirming);
  }

  close(): void {
    this.#claim.release();
  }

  /** What this consumer was given and did not confirm, in an earlier life or before the connection broke. */
  async #readHistory(
    reader: Redis,
    handle: (entry: LogEntry) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    let cursor = "0";
    while (!signal.aborted) {
      const entries = await this.#read(reader, cursor);
      const last = entries.at(-1);
      if (last === undefined) return;
      await this.#handleAll(entries, await this.#deliveries(entries), { handle, signal });
      cursor = last[0];
    }
  }

  /** What consumers that are gone left unconfirmed. */
  async #takeOver(handle: (entry: LogEntry) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { stream, group, consumer } = this.#options;
    let cursor = "0-0";
    do {
      const [next, entries] = (await this.#client.xautoclaim(
        stream,
        group,
        consumer,
        this.#claimIdleMs,
        cursor,
        "COUNT",
        this.#batchSize,
      )) as [string, RawEntry[]];
      cursor = next;
      await this.#handleAll(entries, await this.#deliveries(entries), { handle, signal });
    } while (cursor !== "0-0" && !signal.aborted);
  }

  async #read(reader: Redis, from: string): Promise<readonly RawEntry[]> {
    const { stream, group, consumer } = this.#options;
    const reply = (await reader.xreadgroup(
      "GROUP",
      group,
      consumer,
      "COUNT",
      this.#batchSize,
      "BLOCK",
      this.#blockMs,
      "STREAMS",
      stream,
      from,
    )) as readonly (readonly [string, readonly RawEntry[]])[] | null;
    return reply?.[0]?.[1] ?? [];
  }

  /** How often each of the entries was delivered, this time included. */
  async #deliveries(entries: readonly RawEntry[]): Promise<Map<string, number>> {
    const { stream, group, consumer } = this.#options;
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined) return new Map();
    const pending = (await this.#client.xpending(
      stream,
      group,
      first[0],
      last[0],
      entries.length * 2,
      consumer,
    )) as readonly (readonly [id: string, consumer: string, idle: number, deliveries: number])[];
    return new Map(pending.map(([id, , , deliveries]) => [id, deliveries]));
  }

  async #handleAll(
    entries: readonly RawEntry[],
    deliveries: ReadonlyMap<string, number>,
    { handle, signal }: { handle: (entry: LogEntry) => Promise<void>; signal: AbortSignal },
  ): Promise<void> {
    const waiting = new Set(entries.map(([id]) => id));
    const keep = setInterval(() => this.#keep(waiting), Math.max(1, this.#claimIdleMs / 3));
    try {
      for (const [id, fields] of entries) {
        if (signal.aborted) return;
        if (fields === null || this.#done.has(id)) this.#confirm(id);
        else await this.#handle(id, fields, { handle, before: (deliveries.get(id) ?? 1) - 1 });
        waiting.delete(id);
      }
    } finally {
      clearInterval(keep);
    }
  }

  async #handle(
    id: string,
    fields: readonly string[],
    { handle, before }: { handle: (entry: LogEntry) => Promise<void>; before: number },
  ): Promise<void> {
    const topic = fieldOf(fields, "topic");
    const json = fieldOf(fields, "detail");
    const bury = (error: unknown): Promise<void> => this.#bury(id, { topic, json, error });
    let detail: unknown;
    try {
      if (topic === undefined || json === undefined) throw new Error("topic or detail is missing");
      detail = JSON.parse(json);
    } catch (error) {
      await bury(error);
      return;
    }
    await handle({ topic, detail, before, bury, confirm: () => this.#confirm(id) });
  }

  #confirm(id: string): void {
    const { stream, group } = this.#options;
    this.#done.add(id);
    const confirming = this.#client.xack(stream, group, id).then(
      () => void this.#done.delete(id),
      () => undefined, // it comes again as history and is confirmed then
    );
    this.#confirming.add(confirming);
    void confirming.then(() => this.#confirming.delete(confirming));
  }

  async #bury(
    id: string,
    letter: { topic: string | undefined; json: string | undefined; error: unknown },
  ): Promise<void> {
    const { stream, group, deadLetterStream = `${stream}:dead` } = this.#options;
    const { topic = "", json = "", error } = letter;
    const fields = [
      "topic",
      topic,
      "detail",
      json,
      "id",
      id,
      "group",
      group,
      "error",
      String(error),
    ];
    const results = await this.#client
      .multi()
      .xadd(deadLetterStream, "*", ...fields)
      .xack(stream, group, id)
      .exec();
    const failure = results?.find(([each]) => each !== null)?.[0];
    if (results === null || failure) {
      throw new PubSubError("TRANSPORT", `entry ${id} could not be put among the dead letters`, {
        cause: failure,
      });
    }
  }

  /** Tells the others that these are still being worked on. */
  #keep(ids: ReadonlySet<string>): void {
    const { stream, group, consumer } = this.#options;
    if (ids.size === 0) return;
    this.#client.xclaim(stream, group, consumer, 0, ...ids, "JUSTID").catch(() => undefined);
  }
}

function fieldOf(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1];
  return undefined;
}
