import { type Job, open, type Queue, type QueueOptions } from "@alkdev/honker";
import { FakeClock } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const runs = Number(process.env.ALKDEV_PROPERTY_RUNS ?? 50);

type Step =
  | {
      kind: "enqueue";
      key: string | undefined;
      priority: number;
      delayMs: number;
      expires: boolean;
    }
  | { kind: "claim"; worker: string; count: number }
  | { kind: "end"; how: "ack" | "retry" | "fail" | "heartbeat"; which: number; delayMs: number }
  | { kind: "cancel"; which: number }
  | { kind: "redrive" }
  | { kind: "pause"; paused: boolean }
  | { kind: "advance"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("enqueue" as const),
      key: fc.constantFrom(undefined, "a", "a", "b"),
      priority: fc.integer({ min: -1, max: 1 }),
      delayMs: fc.constantFrom(0, 0, 0, 1, 700, 1_000),
      expires: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("claim" as const),
      worker: fc.constantFrom("v", "w"),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("end" as const),
      how: fc.constantFrom("ack", "ack", "retry", "fail", "heartbeat"),
      which: fc.nat(30),
      delayMs: fc.constantFrom(0, 250, 2_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), which: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("redrive" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("pause" as const), paused: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("advance" as const),
      ms: fc.constantFrom(1, 250, 999, 2_000, 4_000),
    }),
  },
);

const VISIBILITY_SECONDS = 2;
const MAX_ATTEMPTS = 2;

interface ModelJob {
  id: number;
  key: string | undefined;
  priority: number;
  readyAtMs: number;
  expiresAt: number | undefined;
  attempts: number;
  worker: string | undefined;
  claimExpiresAt: number;
}

/** What a queue should do, as plainly as it can be said: a list, searched from the front every time. */
class ModelQueue {
  live: ModelJob[] = [];
  dead = new Map<number, ModelJob>();
  paused = false;
  readonly #clock: FakeClock;
  readonly #limit: number;
  readonly #strict: boolean;

  constructor(clock: FakeClock, limit: number, strict: boolean) {
    this.#clock = clock;
    this.#limit = limit;
    this.#strict = strict;
  }

  get #now(): number {
    return Math.floor(this.#clock.now() / 1_000);
  }

  sweep(): void {
    for (const job of [...this.live]) {
      const lost = job.worker !== undefined && job.claimExpiresAt < this.#now;
      if (lost && job.attempts >= MAX_ATTEMPTS) this.#bury(job);
      else if (lost) job.worker = undefined;
      const expired = (job.expiresAt ?? Number.POSITIVE_INFINITY) <= this.#now;
      if (expired && job.worker === undefined) this.#bury(job);
    }
  }

  claim(worker: string, count: number): number[] {
    if (this.paused) return [];
    this.sweep();
    const order = (a: ModelJob, b: ModelJob): number =>
      b.priority - a.priority || a.readyAtMs - b.readyAtMs || a.id - b.id;
    const claimed: number[] = [];
    for (const job of [...this.live].sort(order)) {
      if (claimed.length === count) break;
      if (job.worker !== undefined || job.readyAtMs > this.#clock.now()) continue;
      if (!this.#admits(job)) continue;
      job.worker = worker;
      job.attempts += 1;
      job.claimExpiresAt = this.#now + VISIBILITY_SECONDS;
      claimed.push(job.id);
    }
    return claimed;
  }

  end(claim: Job<number>, how: Extract<Step, { kind: "end" }>["how"], delayMs: number): boolean {
    const job = this.live.find(({ id }) => id === claim.id);
    const held =
      job !== undefined &&
      job.worker === claim.workerId &&
      job.attempts === claim.attempts &&
      job.claimExpiresAt >= this.#now;
    if (!held) return false;
    if (how === "ack") this.#remove(job);
    else if (how === "heartbeat") job.claimExpiresAt = this.#now + VISIBILITY_SECONDS;
    else if (how === "fail" || job.attempts >= MAX_ATTEMPTS) this.#bury(job);
    else {
      job.worker = undefined;
      job.readyAtMs = this.#clock.now() + delayMs;
    }
    return true;
  }

  cancel(id: number): boolean {
    const job = this.live.find((candidate) => candidate.id === id);
    if (job !== undefined) this.#remove(job);
    return job !== undefined;
  }

  redrive(): number {
    const count = this.dead.size;
    for (const job of this.dead.values()) {
      const readyAtMs = this.#now * 1_000;
      this.live.push({ ...job, attempts: 0, worker: undefined, readyAtMs, expiresAt: undefined });
    }
    this.dead.clear();
    return count;
  }

  #admits({ id, key }: ModelJob): boolean {
    if (key === undefined || this.#limit === Infinity) return true;
    const ofKey = this.live.filter((job) => job.key === key);
    if (ofKey.filter((job) => job.worker !== undefined).length >= this.#limit) return false;
    return !this.#strict || ofKey.every((job) => job.id >= id);
  }

  #bury(job: ModelJob): void {
    this.#remove(job);
    this.dead.set(job.id, job);
  }

  #remove(job: ModelJob): void {
    this.live = this.live.filter((other) => other !== job);
  }
}

interface Variant {
  readonly title: string;
  readonly options: QueueOptions<number>;
  readonly limit: number;
  readonly strict: boolean;
  /** Expired jobs leave a queue now and then; with them in play, the test sweeps before it claims. */
  readonly expiry: boolean;
}

const VARIANTS: readonly Variant[] = [
  { title: "a plain queue", options: {}, limit: Infinity, strict: false, expiry: true },
  {
    title: "two at a time per key",
    options: { concurrencyPerKey: 2 },
    limit: 2,
    strict: false,
    expiry: false,
  },
  {
    title: "strict order per key",
    options: { strictOrderPerKey: true },
    limit: 1,
    strict: true,
    expiry: false,
  },
  {
    title: "one at a time per key, with jobs that expire",
    options: { concurrencyPerKey: 1 },
    limit: 1,
    strict: false,
    expiry: true,
  },
];

class Run {
  readonly #clock = new FakeClock();
  readonly #db = open(":memory:", { clock: this.#clock, extension: "off" });
  readonly #queue: Queue<number>;
  readonly #model: ModelQueue;
  readonly #variant: Variant;
  readonly #claims: Job<number>[] = [];
  readonly #ids: number[] = [];

  constructor(variant: Variant) {
    this.#variant = variant;
    this.#queue = this.#db.queue<number>("q", {
      ...variant.options,
      visibilityTimeoutSeconds: VISIBILITY_SECONDS,
      maxAttempts: MAX_ATTEMPTS,
    });
    this.#model = new ModelQueue(this.#clock, variant.limit, variant.strict);
  }

  take(next: Step): void {
    switch (next.kind) {
      case "enqueue":
        this.#enqueue(next);
        break;
      case "claim": {
        // of a paused queue a claim sweeps only when 5 s have gone by
        if (this.#variant.expiry || this.#model.paused) this.#sweep();
        const jobs = this.#queue.claimBatch(next.worker, next.count);
        expect(jobs.map(({ id }) => id)).toEqual(this.#model.claim(next.worker, next.count));
        this.#claims.push(...jobs);
        break;
      }
      case "end": {
        const job = this.#claims[next.which % Math.max(this.#claims.length, 1)];
        if (job === undefined) break;
        const expected = this.#model.end(job, next.how, next.delayMs);
        expect(end(job, next.how, next.delayMs)).toBe(expected);
        break;
      }
      case "cancel": {
        const id = this.#ids[next.which % Math.max(this.#ids.length, 1)];
        if (id !== undefined) expect(this.#queue.cancel(id)).toBe(this.#model.cancel(id));
        break;
      }
      case "redrive":
        expect(this.#queue.dead.redrive()).toBe(this.#model.redrive());
        break;
      case "pause":
        if (next.paused) this.#queue.pause();
        else this.#queue.resume();
        this.#model.paused = next.paused;
        break;
      case "advance":
        this.#clock.advance(next.ms);
    }
  }

  /** In the end both hold the same jobs in the same states. */
  compare(): void {
    this.#sweep();
    const dead = this.#queue.dead.list().map(({ id, attempts }) => [id, attempts]);
    const byId = (a: ModelJob, b: ModelJob): number => a.id - b.id;
    const expected = [...this.#model.dead.values()].sort(byId);
    expect(dead).toEqual(expected.map(({ id, attempts }) => [id, attempts]));
    for (const job of this.#model.live) {
      expect(this.#queue.get(job.id)).toMatchObject({
        state: job.worker === undefined ? "pending" : "processing",
        attempts: job.attempts,
        workerId: job.worker ?? null,
        runAt: job.readyAtMs / 1_000,
      });
    }
    const { pending, running } = this.#queue.stats();
    expect(pending + running).toBe(this.#model.live.length);
  }

  close(): void {
    this.#db.close();
  }

  #enqueue({ key, priority, delayMs, expires }: Extract<Step, { kind: "enqueue" }>): void {
    const seconds = expires && this.#variant.expiry ? 3 : undefined;
    const now = this.#clock.now();
    const id = this.#queue.enqueue(this.#ids.length, {
      priority,
      ...(delayMs === 0 ? {} : { delayMs }),
      ...(key === undefined ? {} : { key }),
      ...(seconds === undefined ? {} : { expiresSeconds: seconds }),
    });
    this.#ids.push(id);
    this.#model.live.push({
      id,
      key,
      priority,
      readyAtMs: delayMs === 0 ? Math.floor(now / 1_000) * 1_000 : now + delayMs,
      expiresAt: seconds === undefined ? undefined : Math.ceil(now / 1_000 + seconds),
      attempts: 0,
      worker: undefined,
      claimExpiresAt: 0,
    });
  }

  #sweep(): void {
    this.#queue.sweep();
    this.#model.sweep();
  }
}

function end(
  job: Job<number>,
  how: Extract<Step, { kind: "end" }>["how"],
  delayMs: number,
): boolean {
  if (how === "ack") return job.ack();
  if (how === "heartbeat") return job.heartbeat();
  return how === "fail" ? job.fail() : job.retry(delayMs / 1_000);
}

describe("M6: a queue does what the model does, over random histories", () => {
  it.each(VARIANTS)("$title", { timeout: 60_000 + runs * 100 }, (variant) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        const run = new Run(variant);
        try {
          for (const next of steps) run.take(next);
          run.compare();
        } finally {
          run.close();
        }
      }),
      { numRuns: runs },
    );
  });
});
