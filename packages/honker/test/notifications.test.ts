import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { open } from "@alkdev/honker";
import { engineModes, eventually, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { codeOf } from "./code-of.ts";

/** Takes `count` payloads from a sequence. */
async function take(
  sequence: AsyncIterable<{ payload: unknown }>,
  count: number,
): Promise<unknown[]> {
  const payloads: unknown[] = [];
  for await (const { payload } of sequence) {
    payloads.push(payload);
    if (payloads.length === count) break;
  }
  return payloads;
}

describe.each(engineModes)("notifications $mode (M4)", ({ extension }) => {
  it("reach a listener of their channel only, from the call of listen() on", async () => {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    db.notify("a", "too early");
    const a = db.listen("a");
    db.notify("b", "elsewhere");
    const id = db.notify("a", { n: 1 });
    const first = await a.next();
    expect(first.value).toEqual({
      id,
      channel: "a",
      payload: { n: 1 },
      createdAt: Math.floor(clock.now() / 1000),
    });
  });

  it("reach every listener of a channel, in commit order", async () => {
    const db = tempDatabase({ extension });
    const listeners = [db.listen("c"), db.listen("c"), db.listen("c")];
    const received = listeners.map((listener) => take(listener, 600));
    for (let i = 0; i < 600; i++) db.notify("c", i);
    const expected = Array.from({ length: 600 }, (_, i) => i);
    for (const payloads of await Promise.all(received)) expect(payloads).toEqual(expected);
  });

  it("are delivered on commit and dropped on rollback, also of a savepoint", async () => {
    const db = tempDatabase({ extension });
    const listener = db.listen("c");
    const received = take(listener, 2);
    expect(() =>
      db.transaction((tx) => {
        tx.notify("c", "rolled back");
        throw new Error("undo");
      }),
    ).toThrow();
    db.transaction((tx) => {
      tx.notify("c", 1);
      expect(() =>
        tx.transaction((inner) => {
          inner.notify("c", "inner");
          throw new Error("undo");
        }),
      ).toThrow();
    });
    db.notify("c", 2);
    expect(await received).toEqual([1, 2]);
  });

  it("are not seen before the commit of a transaction that stays open across awaits", async () => {
    const db = tempDatabase({ extension });
    const listener = db.listen("c");
    const received: unknown[] = [];
    const reading = (async () => {
      for await (const { payload } of listener) received.push(payload);
    })();
    const undone = db.transaction();
    undone.notify("c", "uncommitted");
    await new Promise((resolve) => setTimeout(resolve, 20));
    undone.rollback();
    const kept = db.transaction();
    kept.notify("c", "committed");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(received).toEqual([]);
    kept.commit();
    await eventually("the notification arrived", () => received.length > 0);
    listener.close();
    await reading;
    expect(received).toEqual(["committed"]);
  });

  it("sent by plain SQL wake local listeners too", async () => {
    const db = tempDatabase({ extension });
    const received = take(db.listen("c"), 1);
    db.execute("INSERT INTO _honker_notifications (channel, payload) VALUES ('c', '\"sql\"')");
    expect(await received).toEqual(["sql"]);
  });

  it("cross processes in both directions", async () => {
    const db = tempDatabase({ extension });
    const child = fork(new URL("./children/echo.ts", import.meta.url), [db.path, extension], {
      execArgv: ["--conditions=@alkdev/source"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const pong = db.listen("pong");
    await once(child, "message");
    for (let i = 0; i < 20; i++) {
      db.transaction((tx) => tx.notify("ping", i));
      expect((await pong.next()).value?.payload).toBe(i);
    }
  });

  it("keep what JSON can hold", async () => {
    const db = tempDatabase({ extension });
    const listener = db.listen("c");
    const payloads = [
      null,
      "",
      0,
      -1.5,
      true,
      [],
      {},
      [1, [null]],
      { "": 1 },
      "😀\u0000\n",
      { d: new Date(0) },
      "x".repeat(1_000_000),
    ];
    for (const payload of payloads) db.notify("c", payload);
    expect(await take(listener, payloads.length)).toEqual(JSON.parse(JSON.stringify(payloads)));
  });

  const cycle: { self?: unknown } = {};
  cycle.self = { cycle };
  it.each<[string, unknown, string]>([
    ["a bigint", { a: [1n] }, ".a[0] is a bigint"],
    ["a cycle", cycle, "a cycle"],
    ["NaN", { a: Number.NaN }, ".a is NaN"],
    ["Infinity", [Number.POSITIVE_INFINITY], "[0] is Infinity"],
    ["undefined in an array", [undefined], "[0] is undefined"],
    ["a function", () => 1, "a function"],
    ["a symbol", { s: Symbol("s") }, "a symbol"],
    ["a Map", { m: new Map() }, "a Map"],
    ["a Buffer", { b: Buffer.from("x") }, "a Buffer"],
  ])("refuse %s as payload, and write nothing", (_what, payload, message) => {
    const db = tempDatabase({ extension });
    expect(codeOf(() => db.notify("c", payload))).toBe("INVALID_PAYLOAD");
    expect(() => db.notify("c", payload)).toThrow(message);
    expect(db.rows("SELECT * FROM _honker_notifications")).toEqual([]);
  });

  it("leave out properties that are undefined, and send null when there is no payload", async () => {
    const db = tempDatabase({ extension });
    const listener = db.listen("c");
    db.notify("c", { a: 1, b: undefined });
    db.notify("c");
    expect(await take(listener, 2)).toEqual([{ a: 1 }, null]);
  });

  it.each(["", undefined, 5])("refuse %j as a channel", (channel) => {
    const db = tempDatabase({ extension });
    expect(codeOf(() => db.notify(channel as string, 1))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => db.listen(channel as string))).toBe("INVALID_ARGUMENT");
  });

  it("end a listener by close, return, signal and the database's close, whichever comes first", async () => {
    const db = tempDatabase({ extension });
    const controller = new AbortController();
    const closed = db.listen("c");
    const returned = db.listen("c");
    const aborted = db.listen("c", { signal: controller.signal });
    const last = db.listen("c");
    const pending = [closed, returned, aborted, last].map((listener) => listener.next());
    closed.close();
    closed.close();
    await returned.return();
    controller.abort();
    db.close();
    for (const result of await Promise.all(pending)) expect(result.done).toBe(true);
    expect((await closed.next()).done).toBe(true);
    expect(codeOf(() => db.listen("c"))).toBe("CLOSED");
    expect(codeOf(() => db.notify("c", 1))).toBe("CLOSED");
  });

  it("cannot be listened for inside a transaction, whose ids may be given out again", () => {
    const db = tempDatabase({ extension });
    db.transaction((tx) => {
      tx.notify("c", 1);
      expect(codeOf(() => db.listen("c"))).toBe("TRANSACTION_STATE");
    });
  });

  it("wake only listeners of channels with news when another process wrote", async () => {
    const db = tempDatabase({ extension });
    const quiet = Array.from({ length: 200 }, (_, i) => db.listen(`quiet:${i}`));
    const listener = db.listen("c");
    const received = take(listener, 3);
    for (let i = 0; i < 3; i++) {
      execFileSync("sqlite3", [
        "-cmd",
        ".timeout 5000",
        db.path,
        `INSERT INTO _honker_notifications (channel, payload) VALUES ('c', '${i}'), ('other', '1');`,
      ]);
    }
    expect(await received).toEqual([0, 1, 2]);
    const pending = quiet.map((sequence) => sequence.next());
    db.close();
    for (const result of await Promise.all(pending)) expect(result.done).toBe(true);
  });

  it("with a signal that is already aborted end at once", async () => {
    const db = tempDatabase({ extension });
    const listener = db.listen("c", { signal: AbortSignal.abort() });
    db.notify("c", 1);
    expect((await listener.next()).done).toBe(true);
  });

  it("are pruned by age and by count, and a listener behind goes on with what is left", async () => {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    const listener = db.listen("c");
    for (let i = 0; i < 10; i++) db.notify("c", i);
    clock.advance(10_000);
    for (let i = 10; i < 20; i++) db.notify("c", i);
    expect(db.pruneNotifications({ maxAgeSeconds: 5 })).toBe(10);
    expect(db.pruneNotifications({ maxCount: 3 })).toBe(7);
    expect(await take(listener, 3)).toEqual([17, 18, 19]);
  });

  it("are pruned by themselves while more are written", async () => {
    const db = tempDatabase({ extension, notifications: { maxCount: 50 } });
    const count = (): number =>
      Number(db.rows("SELECT count(*) FROM _honker_notifications")[0]?.[0]);
    for (let i = 0; i < 2_500; i++) db.notify("c", i);
    await eventually("old notifications are gone", () => count() <= 1_050);
    db.notify("c", "newest");
    expect(count()).toBeGreaterThan(0);
  });

  it("are not delivered again when all rows were pruned before listening", async () => {
    const db = tempDatabase({ extension });
    for (let i = 0; i < 5; i++) db.notify("c", i);
    db.pruneNotifications({ maxAgeSeconds: -1 });
    const listener = db.listen("c");
    db.notify("c", "new");
    expect(await take(listener, 1)).toEqual(["new"]);
  });
});

it("M4: one call to close() of a shared handle does not end the other's listeners", async () => {
  const db = tempDatabase();
  const other = open(db.path);
  const mine = db.listen("c");
  const others = other.listen("c");
  other.close();
  expect((await others.next()).done).toBe(true);
  db.notify("c", 1);
  expect((await mine.next()).value?.payload).toBe(1);
});
