import { type Database, type Job, open } from "@alkdev/honker";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const runs = Number(process.env.ALKDEV_PROPERTY_RUNS ?? 40);

type Step =
  | { kind: "enqueue"; priority: number; due: boolean; maxAttempts: number }
  | { kind: "claim"; worker: string; count: number }
  | { kind: "end"; how: "ack" | "retry" | "fail" | "heartbeat"; which: number }
  | { kind: "cancel"; which: number }
  | { kind: "claims run out" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("enqueue" as const),
      priority: fc.integer({ min: -1, max: 1 }),
      due: fc.boolean(),
      maxAttempts: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("claim" as const),
      worker: fc.constantFrom("v", "w"),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("end" as const),
      how: fc.constantFrom("ack", "retry", "fail", "heartbeat"),
      which: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("claims run out" as const) }) },
);

const ENQUEUE = "SELECT honker_enqueue('theirs', ?, ?, NULL, ?, ?, NULL)";
const CLAIM = "SELECT honker_claim_batch('theirs', ?, ?, 60)";
const LET_CLAIMS_RUN_OUT =
  "UPDATE _honker_live SET claim_expires_at = claim_expires_at - 1000 WHERE state = 'processing'";
// a retry sets the run time to the second it happens in; ours and theirs may be in two
const SET_RUN_AT = "UPDATE _honker_live SET run_at = ? WHERE payload = ? AND state = 'pending'";
/** A claim that ran out is a waiting job, whether a sweep has already written that down or not. */
const STATE = `SELECT payload, priority, attempts, max_attempts,
    CASE WHEN state = 'processing' AND claim_expires_at >= unixepoch() THEN worker_id END
  FROM _honker_live WHERE queue = ? ORDER BY id`;
const DEAD = `SELECT payload, priority, attempts, max_attempts, last_error
  FROM _honker_dead WHERE queue = ? ORDER BY id`;

/** One history, once through Honker's SQL functions and once through ours, in one file. */
class Differential {
  readonly #db: Database;
  readonly #ours;
  readonly #theirIds: number[] = [];
  readonly #ourIds: number[] = [];
  readonly #claims: { their: { id: number; worker: string }; our: Job<string> }[] = [];
  #steps = 0;

  constructor(db: Database) {
    this.#db = db;
    this.#ours = db.queue<string>("ours", { visibilityTimeoutSeconds: 60 });
  }

  take(next: Step): void {
    this.#steps += 1;
    switch (next.kind) {
      case "enqueue":
        this.#enqueue(next);
        break;
      case "claim":
        this.#claim(next);
        break;
      case "end":
        this.#end(next);
        break;
      case "cancel": {
        const i = next.which % Math.max(this.#ourIds.length, 1);
        const id = this.#ourIds[i];
        if (id === undefined) break;
        const theirs = this.#scalar("SELECT honker_cancel(?)", this.#theirIds[i] as number);
        expect(this.#ours.cancel(id)).toBe(theirs === 1);
        break;
      }
      case "claims run out":
        this.#db.execute(LET_CLAIMS_RUN_OUT);
    }
  }

  compare(): void {
    this.#db.rows("SELECT honker_claim_batch('theirs', 'x', 0, 1)");
    // their exhausted jobs leave at the next claim, ours at a sweep
    const theirs = this.#ids(CLAIM, "last", 1_000);
    const ours = this.#ours.claimBatch("last", 1_000);
    this.#ours.sweep();
    expect(ours.map(({ id }) => this.#ourIds.indexOf(id)).sort(ascending)).toEqual(
      theirs.map((id) => this.#theirIds.indexOf(id)).sort(ascending),
    );
    expect(this.#db.rows(STATE, ["ours"])).toEqual(this.#db.rows(STATE, ["theirs"]));
    expect(this.#db.rows(DEAD, ["ours"])).toEqual(this.#db.rows(DEAD, ["theirs"]));
  }

  #enqueue({ priority, due, maxAttempts }: Extract<Step, { kind: "enqueue" }>): void {
    const payload = JSON.stringify(`job ${this.#ourIds.length}`);
    const runAt = due ? 1_000 + (this.#steps % 3) : 4_000_000_000;
    const id = this.#scalar(ENQUEUE, payload, runAt, priority, maxAttempts);
    this.#theirIds.push(Number(id));
    this.#ourIds.push(this.#ours.enqueue(JSON.parse(payload), { priority, runAt, maxAttempts }));
  }

  #claim({ worker, count }: Extract<Step, { kind: "claim" }>): void {
    const theirs = this.#ids(CLAIM, worker, count);
    const ours = this.#ours.claimBatch(worker, count);
    const their = theirs.map((id) => this.#theirIds.indexOf(id));
    const our = ours.map(({ id }) => this.#ourIds.indexOf(id));
    // theirs come in the order of ids, ours in the order to work on them
    expect([...our].sort(ascending)).toEqual([...their].sort(ascending));
    for (const job of ours) {
      const id = this.#theirIds[this.#ourIds.indexOf(job.id)] as number;
      this.#claims.push({ their: { id, worker }, our: job });
    }
  }

  #end({ how, which }: Extract<Step, { kind: "end" }>): void {
    const claim = this.#claims[which % Math.max(this.#claims.length, 1)];
    // Honker does not tell two claims of one worker apart, we do: only the newest can be compared
    if (claim === undefined || this.#isOld(claim.our)) return;
    const { id, worker } = claim.their;
    const calls = {
      ack: ["SELECT honker_ack(?, ?)", () => claim.our.ack(), []],
      retry: ["SELECT honker_retry(?, ?, 0, 'again')", () => claim.our.retry(0, "again"), []],
      fail: ["SELECT honker_fail(?, ?, 'broken')", () => claim.our.fail("broken"), []],
      heartbeat: ["SELECT honker_heartbeat(?, ?, 60)", () => claim.our.heartbeat(60), []],
    } as const;
    const [sql, ours] = calls[how];
    const ended = ours();
    expect([how, ended]).toEqual([how, this.#scalar(sql, id, worker) === 1]);
    if (how === "retry" && ended) {
      const { payload } = claim.our;
      this.#db.execute(SET_RUN_AT, [2_000 + this.#steps, JSON.stringify(payload)]);
    }
  }

  #isOld(job: Job<string>): boolean {
    return this.#claims.some(({ our }) => our.id === job.id && our.attempts > job.attempts);
  }

  #scalar(sql: string, ...params: (string | number)[]): unknown {
    return this.#db.rows(sql, params)[0]?.[0];
  }

  #ids(sql: string, ...params: (string | number)[]): number[] {
    const jobs = JSON.parse(String(this.#scalar(sql, ...params))) as { id: number }[];
    return jobs.map(({ id }) => id);
  }
}

const ascending = (a: number, b: number): number => a - b;

describe("M6, M12: our claims and Honker's SQL functions agree", () => {
  it(
    "on eligibility, attempts, order and dead letters, over random histories",
    () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
          using db = open(":memory:", { extension: "require" });
          const both = new Differential(db);
          for (const next of steps) both.take(next);
          both.compare();
        }),
        { numRuns: runs },
      );
    },
    120_000 + runs * 200,
  );
});
