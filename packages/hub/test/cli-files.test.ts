import { join } from "node:path";
import { open } from "@alkdev/honker";
import { beforeAll, describe, expect, it } from "vitest";
import { cli, sharedFolder } from "./cli-fixture.ts";

const folder = sharedFolder();
const { run, json } = cli(folder);

interface DeadLetter {
  readonly id: number;
  readonly error: string;
}

beforeAll(async () => {
  await json(["init", "--org", "acme"]);
}, 30_000);

describe("alkdev queue (M44, M6)", () => {
  const file = join(folder, "jobs.db");
  const here = ["--file", file];

  /** Jobs that fail for good. */
  function bury(count: number): number[] {
    using db = open(file);
    const queue = db.queue("emails", { maxAttempts: 1 });
    const ids = queue.enqueueMany(Array.from({ length: count }, (_, at) => ({ at })));
    for (const job of queue.claimBatch("worker", count)) job.fail(`no route to ${"x".repeat(60)}`);
    return ids;
  }

  it("lists dead letters with their errors, and puts the chosen ones back", async () => {
    const [first, second, third] = bury(3);
    const { total, deadLetters } = await json<{ total: number; deadLetters: DeadLetter[] }>([
      ...["queue", "dead", "emails", "--limit", "2"],
      ...here,
    ]);
    expect(total).toBe(3);
    expect(deadLetters.map(({ id }) => id)).toEqual([first, second]);
    const { stdout, stderr } = await run(["queue", "dead", "emails", "--limit", "2", ...here]);
    expect(stdout.split("\n").every((line) => line.length <= 80)).toBe(true);
    expect(stderr).toBe(`3 in all; more with --after ${second}\n`);
    expect(await json(["queue", "redrive", "emails", String(first), ...here])).toEqual({
      queue: "emails",
      redriven: 1,
    });
    const job = await json<{ job: { state: string }; history: { outcome: string }[] }>([
      ...["queue", "job", "emails", String(first)],
      ...here,
    ]);
    expect(job.job.state).toBe("pending");
    expect(job.history.map(({ outcome }) => outcome)).toEqual(["dead", "redriven"]);
    const all = await json(["queue", "redrive", "emails", "--all", ...here]);
    expect(all).toEqual({ queue: "emails", redriven: 2 });
    expect(await json(["queue", "stats", "emails", ...here])).toMatchObject({ ready: 3, dead: 0 });
    await json(["queue", "cancel", "emails", String(third), ...here]);
    const gone = await run(["queue", "cancel", "emails", String(third), ...here]);
    expect(gone.code).toBe(3);
  });

  it("acts on no dead letters that are not named in one way", async () => {
    for (const args of [[], ["1", "--all"], ["--all", "--older-than", "1d"]]) {
      const { code, stderr } = await run(["queue", "redrive", "emails", ...args, ...here]);
      expect(code).toBe(2);
      expect(stderr).toContain("Give ids, --older-than or --all");
    }
    expect((await run(["queue", "redrive", "emails", "99999", ...here])).code).toBe(3);
    expect((await run(["queue", "redrive", "emails", "1.5", ...here])).code).toBe(2);
    bury(1);
    expect((await run(["queue", "purge", "emails", "--all", ...here])).code).toBe(4);
    expect(await json(["queue", "purge", "emails", "--all", "--yes", ...here])).toEqual({
      queue: "emails",
      purged: 1,
    });
  });

  it("pauses and resumes a queue", async () => {
    await run(["queue", "pause", "emails", ...here]);
    expect((await run(["queue", "list", ...here])).stdout).toMatch(/^emails .* paused$/m);
    await run(["queue", "resume", "emails", ...here]);
    expect(await json(["queue", "stats", "emails", ...here])).toMatchObject({ paused: false });
  });

  it("checks payloads of queues that it knows, and names that it does not", async () => {
    const enqueue = ["queue", "enqueue", "graph-maintenance", "--org", "acme"];
    const wrong = await run([...enqueue, '{"task":"nonsense"}']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('payload for queue "graph-maintenance" does not fit');
    const noJson = await run([...enqueue, "-"], "{task:}");
    expect(noJson.stderr).toMatch(/^alkdev: stdin is no JSON: /);
    const unique = [...enqueue, "-", "--unique", "once", "--delay", "1h"];
    const first = await json<{ id: number }>(unique, '{"task":"prune-events"}');
    const second = await json(unique, '{"task":"prune-events"}');
    expect(second).toEqual({ queue: "graph-maintenance", id: first.id, outcome: "kept" });
    const mistyped = await run(["queue", "stats", "graph-maintenence", "--org", "acme"]);
    expect(mistyped.code).toBe(3);
    expect(mistyped.stderr).toContain("Known are acl-evaluation, graph-maintenance");
  });

  it("opens no file that is not there, and no two at once", async () => {
    const none = await run(["queue", "list", "--file", join(folder, "none.db")]);
    expect(none.code).toBe(3);
    expect((await run(["queue", "list", "--org", "acme", ...here])).code).toBe(2);
    expect((await run(["queue", "list", "--org", "nobody"])).code).toBe(3);
  });
});

describe("alkdev stream (M44, M5)", () => {
  const file = join(folder, "events.db");
  const here = ["--file", file];

  it("reads events, shows consumers, and moves them", async () => {
    using db = open(file);
    const stream = db.stream("orders");
    const offsets = stream.publishMany([{ n: 1 }, { n: 2 }, { n: 3 }], { key: "k" });
    stream.saveOffset("shop:a:mails", offsets[1] as number);
    const { code, stdout, stderr } = await run([
      "stream",
      "read",
      "orders",
      "--limit",
      "2",
      ...here,
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1 \S+Z k \{"n":1\}\n2 \S+Z k \{"n":2\}\n$/);
    expect(stderr).toBe("More with --from 2\n");
    const lines = (await run(["stream", "read", "orders", "--from", "2", "--json", ...here]))
      .stdout;
    expect(JSON.parse(lines)).toMatchObject({ offset: 3, key: "k", payload: { n: 3 } });
    const shown = await json(["stream", "consumers", "orders", ...here]);
    expect(shown).toMatchObject({ consumers: [{ consumer: "shop:a:mails", offset: 2, lag: 1 }] });
    const reset = ["stream", "reset-consumer", "orders", "shop:a:mails"];
    expect(await json([...reset, "start", ...here])).toMatchObject({ before: 2, offset: 0 });
    expect(await json([...reset, "end", ...here])).toMatchObject({ before: 0, offset: 3 });
    expect((await run([...reset, "soon", ...here])).code).toBe(2);
    expect((await run([...reset, "99", ...here])).code).toBe(2);
    expect((await run(["stream", "reset-consumer", "orders", "x", "0", ...here])).code).toBe(3);
    const forget = ["stream", "delete-consumer", "orders", "shop:a:mails", ...here];
    expect((await run(forget)).code).toBe(4);
    expect(await json([...forget, "--yes"])).toMatchObject({ deleted: true });
  });

  it("lists what the installation writes itself", async () => {
    const { stdout } = await run(["stream", "list"]);
    expect(stdout).toMatch(/^audit-events +3 /m);
    const { stdout: empty } = await run(["stream", "list", "--org", "acme"]);
    expect(empty).toBe('No stream of organisation "acme" has events.\n');
  });
});

describe("alkdev lock and schedule (M44, M8, M9)", () => {
  const file = join(folder, "times.db");
  const here = ["--file", file];

  it("takes a lock away from who holds it when that is confirmed, and says whom", async () => {
    using db = open(file);
    const held = db.tryLock("leader", "hub-1", 600);
    const { stdout } = await run(["lock", "list", ...here]);
    expect(stdout).toMatch(/^leader +hub-1 +1 +\S+Z$/m);
    const asked = await run(["lock", "release", "leader", ...here]);
    expect(asked.code).toBe(4);
    expect(asked.stderr).toContain("hub-1 loses the lock leader");
    const released = await json(["lock", "release", "leader", "--yes", ...here]);
    expect(released).toMatchObject({ owner: "hub-1", token: 1, released: true });
    expect(held?.heartbeat()).toBe(false);
    const next = db.tryLock("leader", "hub-2", 60);
    expect(next?.token).toBeGreaterThan(1);
    expect((await run(["lock", "release", "follower", "--yes", ...here])).code).toBe(3);
  });

  it("pauses, triggers, resumes and removes a schedule", async () => {
    using db = open(file);
    db.scheduler().add("nightly", "0 3 * * *", { queue: "chores", payload: { all: true } });
    const listed = await run(["schedule", "list", ...here]);
    expect(listed.stdout).toMatch(/^nightly +0 3 \* \* \* +UTC +chores +\S+T03:00:00Z$/m);
    await json(["schedule", "pause", "nightly", ...here]);
    const triggered = await json<{ id: number }>(["schedule", "trigger", "nightly", ...here]);
    expect(db.queue("chores").get(triggered.id)?.payload).toEqual({ all: true });
    expect(db.scheduler().get("nightly")?.enabled).toBe(false);
    await json(["schedule", "resume", "nightly", ...here]);
    expect(db.scheduler().get("nightly")?.enabled).toBe(true);
    const unknown = await run(["schedule", "pause", "nighly", ...here]);
    expect(unknown).toMatchObject({ code: 3 });
    expect(unknown.stderr).toContain("Known are nightly");
    await json(["schedule", "remove", "nightly", "--yes", ...here]);
    expect(db.scheduler().list()).toEqual([]);
  });
});
