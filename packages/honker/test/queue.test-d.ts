import {
  type Database,
  type Job,
  type JobContext,
  open,
  type StandardSchemaV1,
} from "@alkdev/honker";
import { expectTypeOf, test } from "vitest";

declare const db: Database;
declare const toDate: StandardSchemaV1<string, Date>;

test("M6: payloads are typed from enqueue to handler", () => {
  const queue = db.queue<{ to: string }>("mails");
  expectTypeOf(queue.enqueue).parameter(0).toEqualTypeOf<{ to: string }>();
  // @ts-expect-error another payload
  queue.enqueue({ from: "x" });
  expectTypeOf(queue.claimOne("w")).toEqualTypeOf<Job<{ to: string }> | null>();
  queue.work((job, context) => {
    expectTypeOf(job.payload).toEqualTypeOf<{ to: string }>();
    expectTypeOf(context).toEqualTypeOf<JobContext>();
  });
});

test("M6: a schema gives the type on both sides", () => {
  const queue = db.queue("dates", { schema: toDate });
  expectTypeOf(queue.enqueue).parameter(0).toEqualTypeOf<string>();
  queue.work((job) => expectTypeOf(job.payload).toEqualTypeOf<Date>());
});

test("M6: batches are arrays", () => {
  db.queue<number>("n").work((jobs) => expectTypeOf(jobs).toEqualTypeOf<readonly Job<number>[]>(), {
    batchSize: 10,
  });
});

test("M6: both ways to wait for jobs", async () => {
  const waker = db.queue<number>("n").claimWaker("w");
  expectTypeOf(await waker.next("w")).toEqualTypeOf<Job<number> | null>();
  for await (const job of waker) expectTypeOf(job.payload).toEqualTypeOf<number>();
});

test("M6: complete() refuses an async callback", () => {
  db.queue("q").work((_, { complete }) => {
    // @ts-expect-error a transaction cannot wait
    complete(async () => undefined);
    expectTypeOf(complete(() => 7)).toEqualTypeOf<number>();
  });
});

test("M6: unique scopes and backoffs are literals", () => {
  const queue = open(":memory:").queue("q");
  // @ts-expect-error unknown scope
  queue.enqueue(1, { unique: { key: "k", scope: "forever" } });
  // @ts-expect-error a function cannot be stored with a job
  queue.enqueue(1, { backoff: () => 1 });
});
