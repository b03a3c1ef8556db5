import type { Queue } from "@alkdev/honker";
import { openCatalogQueue, tenantCatalog } from "@alkdev/storage/catalog";
import {
  createSchemaMigrationHandler,
  createTenantDatabase,
  type SchemaMigration,
  type SchemaMigrationOptions,
  type TenantDatabase,
} from "@alkdev/storage/sqlite";
import { eventually, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { countUp, fillTasks, TasksV2, TasksV4, versionOf, wrongRows } from "./evolve-tasks.ts";

interface Worked {
  readonly tenant: TenantDatabase;
  readonly queue: Queue<SchemaMigration>;
}

function tasks(nodes: number): Worked {
  const tenant = createTenantDatabase(tempDatabase());
  fillTasks(tenant, nodes);
  const entries = tenantCatalog.queues;
  const source = { db: tenant.$client, entries };
  return {
    tenant,
    queue: openCatalogQueue(source, "schema-migration", { backoff: { kind: "fixed", delayMs: 1 } }),
  };
}

function work({ tenant, queue }: Worked, options: SchemaMigrationOptions): void {
  const worker = queue.work(createSchemaMigrationHandler(tenant, options));
  onTestFinished(() => void worker.stop());
}

const known: SchemaMigrationOptions = { modules: [TasksV4], migrations: { tasks: countUp } };
const job: SchemaMigration = { graphTypeId: "tasks", fromVersion: 2, toVersion: 4 };

describe("the queue schema-migration (M30)", () => {
  it("evolves the type, and the job ends in the commit that ends the migration", async () => {
    const it = tasks(30);
    const { $client: client } = it.tenant;
    const endings: (readonly [number, boolean])[] = [];
    const id = it.queue.enqueue(job);
    client.onCommit(() => endings.push([versionOf(client), it.queue.get(id) !== null]));
    const progress: unknown[] = [];
    client.onCommit(() => progress.push(it.queue.get(id)?.progress ?? null));
    work(it, { ...known, batchSize: 10 });
    await eventually("the job has ended", () => it.queue.get(id) === null);
    expect(wrongRows(client)).toEqual([]);
    // never is one true without the other
    expect(endings.filter(([version, waits]) => (version === 4) === waits)).toEqual([]);
    expect(progress).toContainEqual({ phase: "migrating", done: 20, total: 58, failed: 0 });
    expect(it.queue.history(id)[0]).toMatchObject({ outcome: "completed" });
  });

  it("ends a job for what is done already", async () => {
    const it = tasks(3);
    work(it, known);
    const first = it.queue.enqueue(job);
    await eventually("the job has ended", () => it.queue.get(first) === null);
    const second = it.queue.enqueue(job);
    await eventually("the job has ended", () => it.queue.get(second) === null);
    expect(it.queue.dead.list()).toEqual([]);
    expect(wrongRows(it.tenant.$client)).toEqual([]);
  });

  it.each<[string, SchemaMigrationOptions, SchemaMigration, RegExp]>([
    [
      "rows that do not fit",
      { modules: [TasksV4], migrations: { tasks: [{ to: 4, nodes: { task: () => ({}) } }] } },
      job,
      /MIGRATION_FAILED|3 rows of graph type "tasks" do not fit version 4/,
    ],
    ["a type that is not there", known, { ...job, graphTypeId: "none" }, /no graph type "none"/],
    [
      "a start that the type has not reached",
      known,
      { ...job, fromVersion: 4, toVersion: 6 },
      /in version 2, before 4/,
    ],
  ])("%s: a dead letter at once", async (_, options, payload, message) => {
    const it = tasks(3);
    work(it, options);
    it.queue.enqueue(payload);
    await eventually("a dead letter", () => it.queue.dead.list().length === 1);
    expect(it.queue.dead.list()[0]).toMatchObject({
      reason: "failed",
      error: expect.stringMatching(message),
    });
    expect(versionOf(it.tenant.$client)).toBe(2);
  });

  it.each<[string, SchemaMigrationOptions, RegExp]>([
    ["older", { modules: [TasksV2] }, /version 2, and the job wants 4/],
    ["without the Module", { modules: [] }, /no Module "tasks"/],
  ])("a worker whose code is %s leaves the job to another", async (_, options, message) => {
    const it = tasks(3);
    work(it, options);
    const id = it.queue.enqueue(job, { maxAttempts: 2 });
    await eventually("a dead letter", () => it.queue.dead.list().length === 1);
    expect(it.queue.dead.list()[0]?.error).toMatch(message);
    expect(it.queue.history(id).map(({ outcome }) => outcome)).toContain("retried");
  });

  it("a cancelled job stops between two batches, and the next one goes on", async () => {
    const it = tasks(400);
    const { $client: client } = it.tenant;
    const id = it.queue.enqueue(job);
    const stop = client.onCommit(() => {
      if (versionOf(client) === 3) it.queue.cancel(id);
    });
    work(it, { ...known, batchSize: 5 });
    await eventually(
      "the job has ended",
      () => it.queue.get(id) === null && client.locks().length === 0,
    );
    stop();
    expect(versionOf(client)).toBe(3);
    const next = it.queue.enqueue(job);
    await eventually("the job has ended", () => it.queue.get(next) === null);
    expect(wrongRows(client)).toEqual([]);
  });
});
