import { execFileSync } from "node:child_process";
import { resolveHonkerExtension } from "@alkdev/honker";
import { engineModes, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { startNativePeer } from "./native-peer.ts";

describe.each(engineModes)("beside Honker's native binding, $mode (M12)", ({ extension }) => {
  it("notifications cross both ways", async () => {
    const db = tempDatabase({ extension });
    const peer = await startNativePeer(db.path);
    const listener = db.listen("c");
    await peer.notify("c", { from: "native" });
    expect((await listener.next()).value?.payload).toEqual({ from: "native" });

    const update = peer.nextUpdate();
    db.transaction((tx) => tx.notify("d", { from: "here" }));
    await update;
    expect(
      await peer.query("SELECT payload FROM _honker_notifications WHERE channel = 'd'"),
    ).toEqual([{ payload: '{"from":"here"}' }]);
  });

  it("a notification rolled back here is never seen there", async () => {
    const db = tempDatabase({ extension });
    const peer = await startNativePeer(db.path);
    expect(() =>
      db.transaction((tx) => {
        tx.notify("c", 1);
        throw new Error("undo");
      }),
    ).toThrow();
    expect(await peer.query("SELECT count(*) AS n FROM _honker_notifications")).toEqual([{ n: 0 }]);
  });
});

describe.each(engineModes)("streams beside the native binding, $mode (M12)", ({ extension }) => {
  it("wake a subscription here when an event is published there", async () => {
    const db = tempDatabase({ extension });
    const peer = await startNativePeer(db.path);
    const events = db.stream("orders").subscribe("test:1:reader");
    const next = events.next();
    await peer.write("SELECT honker_stream_publish('orders', NULL, '\"native\"')");
    expect((await next).value?.payload).toBe("native");
  });
});

describe.each(engineModes)("queues beside the native binding, $mode (M12)", ({ extension }) => {
  const enqueueThere = "SELECT honker_enqueue('work', ?, NULL, NULL, ?, 3, NULL)";
  const claimThere = "SELECT honker_claim_batch('work', 'native', ?, 30)";

  it("a job enqueued there wakes a worker here, which acknowledges it", async () => {
    const db = tempDatabase({ extension });
    const peer = await startNativePeer(db.path);
    const jobs = db.queue("work").claim("here");
    const next = jobs.next();
    await peer.write(enqueueThere, ['{"from":"native"}', 0]);
    const job = (await next).value;
    expect(job).toMatchObject({ payload: { from: "native" }, attempts: 1 });
    expect(await peer.query("SELECT state, worker_id FROM _honker_live")).toEqual([
      { state: "processing", worker_id: "here" },
    ]);
    expect(job?.ack()).toBe(true);
    expect(await peer.query("SELECT * FROM _honker_live")).toEqual([]);
  });

  it("jobs enqueued here are claimed there in the same order, and acknowledged", async () => {
    const db = tempDatabase({ extension });
    const peer = await startNativePeer(db.path);
    const queue = db.queue("work");
    const low = queue.enqueue({ n: "low" });
    const high = queue.enqueue({ n: "high" }, { priority: 5 });
    queue.enqueue({ n: "later" }, { delaySeconds: 60 });
    queue.enqueue({ n: "soon" }, { delayMs: 900 });
    for (const expected of [[high], [low], []]) {
      const claimed = JSON.parse(String(await peer.scalar(claimThere, [1]))) as { id: number }[];
      expect(claimed.map(({ id }) => id)).toEqual(expected);
    }
    expect(queue.claimBatch("here", 10)).toEqual([]);
    expect(await peer.scalar("SELECT honker_ack(?, 'native')", [high])).toBe(1);
    expect(queue.get(high)).toBeNull();
  });

  it("a claim that runs out there is claimed here, and the late acknowledgement is refused", async () => {
    const db = tempDatabase({ extension });
    const peer = await startNativePeer(db.path);
    const id = db.queue("work").enqueue({});
    await peer.scalar("SELECT honker_claim_batch('work', 'native', 1, 1)");
    const job = await db.queue("work").claim("here").next();
    expect(job.value).toMatchObject({ id, attempts: 2 });
    expect(await peer.scalar("SELECT honker_ack(?, 'native')", [id])).toBe(0);
    expect(job.value?.ack()).toBe(true);
  });

  it("a job failed there is a dead letter here, can be redriven and claimed there again", async () => {
    const db = tempDatabase({ extension });
    const peer = await startNativePeer(db.path);
    const queue = db.queue("work");
    const id = queue.enqueue({ n: 1 });
    await peer.scalar(claimThere, [1]);
    expect(await peer.scalar("SELECT honker_fail(?, 'native', 'broken')", [id])).toBe(1);
    expect(queue.dead.list()).toMatchObject([{ id, payload: { n: 1 }, error: "broken" }]);
    expect(queue.dead.redrive()).toBe(1);
    const claimed = JSON.parse(String(await peer.scalar(claimThere, [1]))) as { id: number }[];
    expect(claimed.map((job) => job.id)).toEqual([id]);
  });

  it("a retry there waits for its time here", async () => {
    const db = tempDatabase({ extension });
    const peer = await startNativePeer(db.path);
    const queue = db.queue("work");
    const id = queue.enqueue({ n: 1 });
    await peer.scalar(claimThere, [1]);
    await peer.scalar("SELECT honker_retry(?, 'native', 3600, 'later')", [id]);
    expect(queue.claimOne("here")).toBeNull();
    expect(queue.get(id)).toMatchObject({ attempts: 1 });
  });

  it("a result saved there is read here, and the reverse", async () => {
    const db = tempDatabase({ extension });
    const peer = await startNativePeer(db.path);
    await peer.write("SELECT honker_result_save(41, '{\"a\":1}', 60)");
    expect(db.getResult(41)).toEqual({ a: 1 });
    db.saveResult(42, { b: 2 });
    expect(await peer.scalar("SELECT honker_result_get(42)")).toBe('{"b":2}');
  });
});

describe("plain SQL with the extension loaded in sqlite3 (M12)", () => {
  it("enqueues, notifies and publishes into a file that is in use here", async () => {
    const db = tempDatabase();
    const { file } = resolveHonkerExtension();
    const listener = db.listen("c");
    execFileSync("sqlite3", [db.path], {
      input: [
        ".timeout 5000",
        `.load ${file}`,
        `SELECT honker_enqueue('work', '{"sql":true}', NULL, NULL, 0, 3, NULL);`,
        `SELECT honker_stream_publish('log', NULL, '{"sql":true}');`,
        `SELECT notify('c', '{"sql":true}');`,
      ].join("\n"),
    });
    expect((await listener.next()).value?.payload).toEqual({ sql: true });
    expect(db.queue("work").claimOne("here")?.payload).toEqual({ sql: true });
    expect(db.stream("log").readSince(0, 1)[0]?.payload).toEqual({ sql: true });
  });
});
