import type { Redis } from "ioredis";
import { type BullMqJob, bullMqJob } from "./bullmq-job.ts";

/** Where a job is in its life; `paused` ones wait too. */
export type BullMqState = "waiting" | "prioritized" | "delayed" | "failed" | "active";

/** A job and where it was found. */
export interface FoundJob {
  readonly id: string;
  /** Null when it is gone since it was listed, or is unreadable. */
  readonly job: BullMqJob | null;
  /** Why it is unreadable. */
  readonly problem: string | null;
  /** Milliseconds since 1970, of a delayed one. */
  readonly runAtMs: number | null;
}

/** A repeatable job or job scheduler. */
export interface BullMqSchedule {
  readonly key: string;
  readonly name: string | null;
  /** A cron expression. */
  readonly pattern: string | null;
  /** Milliseconds between two runs, where it has no pattern. */
  readonly everyMs: number | null;
  readonly timeZone: string | null;
  /** Milliseconds since 1970. */
  readonly nextAtMs: number;
}

/** The low 12 bits of a delayed job's score order jobs of one millisecond. */
const DELAYED_SCALE = 4_096;

/** The keys of a queue of BullMQ. */
export class BullMqQueue {
  readonly #redis: Redis;
  readonly #base: string;

  constructor(redis: Redis, prefix: string, queue: string) {
    this.#redis = redis;
    this.#base = `${prefix}:${queue}`;
  }

  async exists(): Promise<boolean> {
    return (await this.#redis.exists(this.#key("meta"), this.#key("id"))) > 0;
  }

  /** Jobs of a state in the order they would run, in batches. */
  async *jobs(state: BullMqState, batchSize: number): AsyncGenerator<FoundJob[], void> {
    const lists = { waiting: ["paused", "wait"], active: ["active"] } as const;
    if (state === "waiting" || state === "active") {
      for (const list of lists[state]) yield* this.#listed(this.#key(list), batchSize);
    } else yield* this.#scored(state, batchSize);
  }

  /** Ids of jobs that wait for their children. */
  async waitingForChildren(): Promise<string[]> {
    return this.#redis.zrange(this.#key("waiting-children"), "0", "-1");
  }

  async completed(): Promise<number> {
    return this.#redis.zcard(this.#key("completed"));
  }

  async schedules(): Promise<BullMqSchedule[]> {
    const flat = await this.#redis.zrange(this.#key("repeat"), "0", "-1", "WITHSCORES");
    const schedules: BullMqSchedule[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const key = flat[i] as string;
      const fields = await this.#redis.hgetall(this.#key(`repeat:${key}`));
      schedules.push({
        key,
        name: fields["name"] ?? null,
        pattern: fields["pattern"] ?? null,
        everyMs: fields["every"] === undefined ? null : Number(fields["every"]),
        timeZone: fields["tz"] ?? null,
        nextAtMs: Number(flat[i + 1]),
      });
    }
    return schedules;
  }

  /** Jobs leave a list at its end, and come in at its beginning. */
  async *#listed(key: string, batchSize: number): AsyncGenerator<FoundJob[], void> {
    for (let from = 1; ; from += batchSize) {
      const ids = await this.#redis.lrange(key, -(from + batchSize - 1), -from);
      if (ids.length === 0) return;
      // markers are no jobs
      const jobs = ids.toReversed().filter((id) => !id.startsWith("0:"));
      yield await this.#read(jobs.map((id) => ({ id, runAtMs: null })));
    }
  }

  async *#scored(
    state: "prioritized" | "delayed" | "failed",
    batchSize: number,
  ): AsyncGenerator<FoundJob[], void> {
    const key = this.#key(state);
    for (let from = 0; ; from += batchSize) {
      const flat = await this.#redis.zrange(
        key,
        String(from),
        String(from + batchSize - 1),
        "WITHSCORES",
      );
      if (flat.length === 0) return;
      const found: { id: string; runAtMs: number | null }[] = [];
      for (let i = 0; i + 1 < flat.length; i += 2) {
        const score = Number(flat[i + 1]);
        const runAtMs = state === "delayed" ? Math.floor(score / DELAYED_SCALE) : null;
        found.push({ id: flat[i] as string, runAtMs });
      }
      yield await this.#read(found);
    }
  }

  async #read(
    found: readonly { readonly id: string; readonly runAtMs: number | null }[],
  ): Promise<FoundJob[]> {
    const pipeline = this.#redis.pipeline();
    for (const { id } of found) pipeline.hgetall(this.#key(id));
    const replies = (await pipeline.exec()) ?? [];
    return found.map(({ id, runAtMs }, index) => {
      const [error, hash] = replies[index] ?? [null, {}];
      if (error !== null) throw error;
      try {
        const job = bullMqJob(id, hash as Record<string, string>);
        return { id, runAtMs, job, problem: null };
      } catch (error) {
        return { id, runAtMs, job: null, problem: (error as Error).message };
      }
    });
  }

  #key(name: string): string {
    return `${this.#base}:${name}`;
  }
}
