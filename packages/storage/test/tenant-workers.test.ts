import { openCatalogQueue, tenantCatalog } from "@alkdev/storage/catalog";
import { generateEncryptionKey, KeyRing } from "@alkdev/storage/graphs";
import {
  createAcl,
  createCallJournal,
  createGraphStore,
  createSecretStore,
  createTenantDatabase,
  readGraphType,
  seedSchedules,
  startTenantWorkers,
  TENANT_SCHEDULES,
  type TenantQueueName,
  type TenantWorkersOptions,
} from "@alkdev/storage/sqlite";
import { eventually, tempDatabase } from "@alkdev/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { tenantsSetup } from "./tenants-setup.ts";

const withCode = (code: string) => expect.objectContaining({ code });
const DAY = 86_400;

function workersOf(options: Partial<TenantWorkersOptions> = {}) {
  const client = tempDatabase();
  const tenant = createTenantDatabase(client);
  const workers = startTenantWorkers({ tenant, ...options });
  onTestFinished(() => workers.stop());
  const queue = <Name extends TenantQueueName>(name: Name) =>
    openCatalogQueue({ db: client, entries: tenantCatalog.queues }, name);
  const result = (id: number) => client.waitResult(id, { timeoutMs: 20_000 });
  return { client, tenant, workers, queue, result, store: createGraphStore(tenant) };
}

describe("workers of tenants: what they refuse (M35)", () => {
  test.each([
    ["neither a tenant nor tenants", {}],
    ["tenants without the system database", { tenants: {} }],
    ["no handler at a time", { tenant: {}, concurrency: 0 }],
    ["a time to stop that is none", { tenant: {}, stopTimeoutMs: Number.NaN }],
  ])("%s", (_, input) => {
    expect(() => startTenantWorkers(input as never)).toThrow(withCode("INVALID_ARGUMENT"));
  });

  test.each([
    ["no tenant at a time", { maxActive: 0 }],
    ["a sweep that never comes", { sweepSeconds: Number.POSITIVE_INFINITY }],
    ["a negative turn", { turnMs: -1 }],
  ])("%s", (_, options) => {
    const { system, manager } = tenantsSetup();
    expect(() => startTenantWorkers({ tenants: manager(), system, ...options })).toThrow(
      withCode("INVALID_ARGUMENT"),
    );
  });

  test("a closed database", () => {
    const client = tempDatabase();
    const tenant = createTenantDatabase(client);
    client.close();
    expect(() => startTenantWorkers({ tenant })).toThrow(withCode("CLOSED"));
  });
});

describe("workers of tenants: each queue of one file (M35)", () => {
  test("acl-evaluation fills the memory of the ACL it is given", async () => {
    const asked: string[] = [];
    const { tenant, queue, result } = workersOf({
      aclOf: (db) => {
        const acl = createAcl(db);
        const identityOf: typeof acl.identityOf = (key) => {
          asked.push(key);
          return acl.identityOf(key);
        };
        return { ...acl, identityOf };
      },
    });
    createAcl(tenant).putPrincipal("account:ada", { scopes: ["graphs:*"] });
    const id = queue("acl-evaluation").enqueue({ principalId: "account:ada" });
    await result(id);
    expect(asked).toContain("account:ada");
  });

  test("secret-rotation is worked on where there is a key ring, and left alone elsewhere", async () => {
    const keys = { 1: generateEncryptionKey(), 2: generateEncryptionKey() };
    const { tenant, queue, result } = workersOf({ keyRing: () => new KeyRing({ keys }) });
    await createSecretStore(tenant, new KeyRing({ keys: { 1: keys[1] } })).put("token", "s3cret");
    const id = queue("secret-rotation").enqueue({ toKeyVersion: 2, batchSize: 10 });
    expect(await result(id)).toMatchObject({ rotated: 1, nextJobId: null });
    const other = workersOf();
    other.queue("secret-rotation").enqueue({ toKeyVersion: 2, batchSize: 10 });
    await other.result(other.queue("graph-maintenance").enqueue({ task: "prune-events" }));
    expect(other.queue("secret-rotation").stats()).toMatchObject({ ready: 1, running: 0 });
  });

  test("schema-migration brings a graph type to its version", async () => {
    const { client, queue, result } = workersOf();
    const stored = readGraphType(client, { name: "call_graph" });
    const version = stored?.graphType.version as number;
    const jobs = queue("schema-migration");
    const id = jobs.enqueue({
      graphTypeId: stored?.id as string,
      fromVersion: version,
      toVersion: version,
    });
    await result(id);
    expect(jobs.stats()).toMatchObject({ pending: 0, dead: 0 });
  });

  test("archive-graph archives a graph, twice as once, and says when there is none", async () => {
    const { store, queue, result } = workersOf();
    const { id: graphId } = store.createGraph({ type: "call_graph", name: "June" });
    const jobs = queue("graph-maintenance");
    const results = [];
    for (const id of [graphId, graphId, "none"]) {
      results.push(await result(jobs.enqueue({ task: "archive-graph", graphId: id })));
    }
    expect(results).toEqual([{ archived: true }, { archived: true }, { archived: false }]);
    expect(store.getGraph(graphId)?.status).toBe("archived");
  });

  test("prune-events deletes what is too old, and nothing that a consumer has yet to read", async () => {
    const streamRetention = { "session-events": { maxCount: 1 } };
    const { client, tenant, queue, result } = workersOf({ streamRetention });
    const stream = client.stream("session-events");
    for (let at = 0; at < 5; at++) stream.publish({ at });
    stream.saveOffset("audit", 3);
    const yesterday = Date.now() - 86_401_000;
    using journal = createCallJournal(tenant, { owner: "hub", now: () => yesterday });
    journal.runAtomic({ requestId: "r-1", operationId: "nodes.create" }, () => 1);
    const job = queue("graph-maintenance").enqueue({ task: "prune-events" });
    expect(await result(job)).toMatchObject({ pruned: { streamEvents: 3, calls: 1 } });
    expect(stream.info().count).toBe(2);
  });
});

describe("workers of tenants: expired graphs (M35)", () => {
  const expire = "UPDATE graphs SET updated_at = unixepoch() - ? WHERE id = ?";

  test("are those archived long enough ago; others, and the ACL, stay", async () => {
    const { client, tenant, store, queue, result } = workersOf();
    const make = (name: string, days: number, archived = true): string => {
      const { id } = store.createGraph({ type: "call_graph", name });
      if (archived) store.archiveGraph(id);
      client.execute(expire, [days * DAY, id]);
      return id;
    };
    const old = make("old", 31);
    const kept = [make("young", 29), make("active", 31, false)];
    createAcl(tenant).putPrincipal("account:ada");
    const acl = store.listGraphs({ type: "acl_graph" }).items[0]?.id as string;
    store.archiveGraph(acl);
    client.execute(expire, [1_000 * DAY, acl]);
    const jobs = queue("graph-maintenance");
    const job = jobs.enqueue({ task: "cleanup-expired-graphs", olderThanDays: 30 });
    expect(await result(job)).toEqual({ graphs: 1, nodes: 0, edges: 0 });
    expect(store.getGraph(old)).toBeNull();
    for (const id of [...kept, acl]) expect(store.getGraph(id)).not.toBeNull();
  });

  test("are deleted in several commits, with progress, and one event at the end", async () => {
    const { client, store, queue, workers, result } = workersOf();
    await workers.stop();
    const { id } = store.createGraph({ type: "call_graph", name: "large" });
    const graph = store.graph(id);
    const keys = Array.from({ length: 5_000 }, (_, i) => `r-${i}`);
    const attributes = (requestId: string) => ({ requestId, operationId: "x", status: "pending" });
    graph.insertNodes(keys.map((key) => ({ key, type: "call", attributes: attributes(key) })));
    graph.insertEdges(
      keys.slice(1).map((target, i) => ({ type: "triggered", source: `r-${i}`, target })),
    );
    store.archiveGraph(id);
    client.execute(expire, [91 * DAY, id]);
    const commits: number[] = [];
    client.onCommit(() => {
      commits.push(Number(client.rows("SELECT count(*) FROM edges")[0]?.[0]));
    });
    const again = startTenantWorkers({ tenant: createTenantDatabase(client) });
    const jobs = queue("graph-maintenance");
    const job = jobs.enqueue({ task: "cleanup-expired-graphs", olderThanDays: 90 });
    const deletedRows = await result(job);
    await again.stop();
    expect(deletedRows).toEqual({ graphs: 1, nodes: 5_000, edges: 4_999 });
    expect(new Set(commits)).toEqual(new Set([4_999, 2_999, 999, 0]));
    const deleted = client.rows(
      "SELECT payload FROM _honker_notifications WHERE channel = 'graph:deleted'",
    );
    expect(deleted).toEqual([[JSON.stringify({ graphId: id })]]);
    expect(client.rows("SELECT key FROM _alk_storage_state WHERE key LIKE 'deleting%'")).toEqual(
      [],
    );
  });

  test("are gone for good once begun: nobody gets half a graph back", async () => {
    const { client, store, queue, workers, result } = workersOf();
    await workers.stop();
    const { id } = store.createGraph({ type: "call_graph", name: "begun" });
    store.archiveGraph(id);
    client.execute("INSERT INTO _alk_storage_state (key, value) VALUES (?, '')", [
      `deleting_graph:${id}`,
    ]);
    store.updateGraph(id, { status: "active" });
    const again = startTenantWorkers({ tenant: createTenantDatabase(client) });
    const jobs = queue("graph-maintenance");
    const job = jobs.enqueue({ task: "cleanup-expired-graphs", olderThanDays: 90 });
    await result(job);
    await again.stop();
    expect(store.getGraph(id)).toBeNull();
  });
});

describe("workers of tenants: schedules (M35)", () => {
  const [first, second] = TENANT_SCHEDULES;
  if (first === undefined || second === undefined) throw new Error("there are two");

  test("are given to a file once", () => {
    const { client } = workersOf();
    expect(seedSchedules(client, TENANT_SCHEDULES)).toEqual([]);
    expect(client.scheduler().get("retention-cleanup")).toMatchObject({
      expression: "0 3 * * *",
      queue: "graph-maintenance",
      payload: { task: "cleanup-expired-graphs", olderThanDays: 90 },
      timeZone: "UTC",
      missed: "once",
    });
    expect(client.scheduler().list()).toHaveLength(2);
  });

  test("stay as they were changed, paused or removed, and those of somebody else are left alone", () => {
    const client = tempDatabase();
    createTenantDatabase(client);
    const scheduler = client.scheduler();
    scheduler.add("event-pruning", "@weekly", { queue: "graph-maintenance", payload: "mine" });
    expect(seedSchedules(client, TENANT_SCHEDULES)).toEqual(["retention-cleanup"]);
    expect(scheduler.get("event-pruning")?.payload).toBe("mine");
    scheduler.update("retention-cleanup", { expression: "0 5 * * *" });
    const newer = [{ ...first, expression: "0 4 * * *" }, second];
    expect(seedSchedules(client, newer)).toEqual([]);
    expect(scheduler.get("retention-cleanup")?.expression).toBe("0 5 * * *");
    scheduler.remove("retention-cleanup");
    expect(seedSchedules(client, [{ ...first, expression: "0 6 * * *" }])).toEqual([]);
    expect(scheduler.get("retention-cleanup")).toBeNull();
  });

  test("that nobody changed follow their definition, and stay paused", () => {
    const client = tempDatabase();
    createTenantDatabase(client);
    seedSchedules(client, TENANT_SCHEDULES);
    client.scheduler().pause("retention-cleanup");
    const newer = [{ ...first, expression: "0 4 * * *" }, second];
    expect(seedSchedules(client, newer)).toEqual(["retention-cleanup"]);
    expect(client.scheduler().get("retention-cleanup")).toMatchObject({
      expression: "0 4 * * *",
      enabled: false,
    });
  });

  test("make jobs of their queues at their time", async () => {
    const { queue } = workersOf({
      schedules: [
        {
          ...first,
          name: "every-second",
          expression: "@every 1s",
          payload: { task: "prune-events" },
        },
      ],
    });
    const jobs = queue("graph-maintenance");
    const done = await eventually("a job was done", () => jobs.history(1)[0]);
    expect(done).toMatchObject({ outcome: "completed" });
  });
});
