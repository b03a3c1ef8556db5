import { fork } from "node:child_process";
import { once } from "node:events";
import { inspect } from "node:util";
import { type Database, open, type Queue } from "@alkdev/honker";
import { openCatalogQueue, tenantCatalog } from "@alkdev/storage/catalog";
import { generateEncryptionKey, KeyRing } from "@alkdev/storage/graphs";
import {
  countKeyVersions,
  createSecretRotationHandler,
  createSecretStore,
  createTenantDatabase,
  retireKey,
  type SecretRotation,
  type SecretRotationResult,
  type TenantDatabase,
} from "@alkdev/storage/sqlite";
import { eventually, tempDatabase, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

const TEXT = "correct horse battery staple";
const KEYS = { 1: generateEncryptionKey(), 2: generateEncryptionKey() };
const oldRing = () => new KeyRing({ keys: { 1: KEYS[1] }, textsPerSalt: 1_000 });
const newRing = () => new KeyRing({ keys: KEYS, textsPerSalt: 1_000 });

function queueOf(db: Database): Queue<SecretRotation> {
  const source = { db, entries: tenantCatalog.queues };
  return openCatalogQueue(source, "secret-rotation", { backoff: { kind: "fixed", delayMs: 1 } });
}

async function secretsIn(client: Database, count: number): Promise<TenantDatabase> {
  const tenant = createTenantDatabase(client);
  const secrets = createSecretStore(tenant, oldRing());
  for (let i = 0; i < count; i += 1) await secrets.put(`s-${i}`, `${TEXT} ${i}`);
  return tenant;
}

function work(tenant: TenantDatabase, ring: KeyRing): void {
  const worker = queueOf(tenant.$client).work(createSecretRotationHandler(tenant, ring));
  onTestFinished(() => void worker.stop());
}

const isEmpty = (queue: Queue<SecretRotation>) => {
  const { pending, running } = queue.stats();
  return pending + running === 0;
};

/** Each value has its revision: one rotation, one more. */
const revisions = (client: Database) =>
  client.rows(`SELECT DISTINCT json_extract(metadata, '$._metagraph.revision') FROM nodes`).flat();

describe("the queue secret-rotation (M29)", () => {
  it("rotates batch by batch; each job's writes, its end and its follow-up are one commit", async () => {
    const tenant = await secretsIn(tempDatabase(), 10);
    const { $client: client } = tenant;
    const queue = queueOf(client);
    const first = queue.enqueue({ toKeyVersion: 2, batchSize: 4 }, { priority: 3 });
    const states: string[] = [];
    client.onCommit(() => {
      const { pending, running } = queue.stats();
      states.push(`${countKeyVersions(tenant).get(2) ?? 0} rotated, ${pending + running} jobs`);
    });
    work(tenant, newRing());
    const results: SecretRotationResult[] = [];
    for (let id: number | null = first; id !== null; id = results.at(-1)?.nextJobId ?? null) {
      const result = await client.waitResult<SecretRotationResult>(id, { timeoutMs: 10_000 });
      results.push(result as SecretRotationResult);
    }
    expect(results.map(({ rotated }) => rotated)).toEqual([4, 4, 2]);
    expect([...new Set(states)]).toEqual([
      "4 rotated, 1 jobs",
      "8 rotated, 1 jobs",
      "10 rotated, 0 jobs",
    ]);
    const ring = newRing();
    retireKey(tenant, ring, 1);
    expect(await createSecretStore(tenant, ring).get("s-9")).toBe(`${TEXT} 9`);
  });

  it("a worker that has not got the key leaves the job, and says nothing but versions", async () => {
    const tenant = await secretsIn(tempDatabase(), 1);
    const queue = queueOf(tenant.$client);
    work(tenant, oldRing());
    const id = queue.enqueue({ toKeyVersion: 2, batchSize: 4 }, { maxAttempts: 2 });
    await eventually("it is given up", () => queue.dead.list().length === 1);
    expect(queue.dead.list()[0]?.error).toMatch(/current key version is 1, and the job wants 2/);
    expect(queue.history(id).map(({ outcome }) => outcome)).toContain("retried");
    const shown = inspect([queue.dead.list(), queue.history(id)], { depth: 9 });
    for (const hidden of [TEXT, KEYS[1], KEYS[2]]) expect(shown).not.toContain(hidden);
  });

  it("names what cannot be decrypted in its result, and does the rest", async () => {
    const tenant = await secretsIn(tempDatabase(), 3);
    const foreign = new KeyRing({ keys: { 1: generateEncryptionKey() } });
    await createSecretStore(tenant, foreign).put("s-1", "of another ring");
    work(tenant, newRing());
    const id = queueOf(tenant.$client).enqueue({ toKeyVersion: 2, batchSize: 10 });
    const result = await tenant.$client.waitResult<SecretRotationResult>(id, { timeoutMs: 10_000 });
    expect(result).toMatchObject({
      rotated: 2,
      failures: [{ key: "s-1", path: "/value", code: "DECRYPTION_FAILED" }],
      nextJobId: null,
    });
    expect(countKeyVersions(tenant)).toEqual(
      new Map([
        [1, 1],
        [2, 2],
      ]),
    );
  });

  it.each([
    ["commit", 1],
    ["commit", 2],
    ["commit", 3],
    ["encryption", 1],
    ["encryption", 4],
    ["encryption", 6],
  ])(
    "killed at %s %d, another worker ends it, and every value is rotated once",
    async (when, at) => {
      const path = `${tempFolder()}/t.db`;
      using client = open(path);
      const tenant = await secretsIn(client, 6);
      const queue = queueOf(client);
      queue.enqueue({ toKeyVersion: 2, batchSize: 2 });
      const start = (dieAt: number) => {
        const child = fork(
          new URL("./children/rotate-secrets.ts", import.meta.url),
          [path, JSON.stringify(KEYS), when, String(dieAt)],
          { execArgv: ["--conditions=@alkdev/source"] },
        );
        onTestFinished(() => void child.kill("SIGKILL"));
        return child;
      };
      const [, signal] = await once(start(at), "exit");
      expect(signal).toBe("SIGKILL");
      const expected = when === "commit" ? at * 2 : Math.floor((at - 1) / 2) * 2;
      expect(countKeyVersions(tenant).get(2) ?? 0).toBe(expected);
      start(0);
      await eventually("all are rotated", () => isEmpty(queue), 20_000);
      expect(countKeyVersions(tenant)).toEqual(new Map([[2, 6]]));
      expect(revisions(client)).toEqual([2]);
      expect(await createSecretStore(tenant, newRing()).get("s-5")).toBe(`${TEXT} 5`);
    },
  );
});
