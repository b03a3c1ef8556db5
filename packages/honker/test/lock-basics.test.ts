import { type Database, open } from "@alkdev/honker";
import { engineModes, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

describe.each(engineModes)("M8: locks $mode", ({ extension }) => {
  function setup(): { db: Database; clock: FakeClock } {
    const clock = new FakeClock();
    return { db: tempDatabase({ extension, clock }), clock };
  }

  it.each([
    ["an empty name", "", "me", 30],
    ["an empty owner", "job", "", 30],
    ["no time", "job", "me", 0],
    ["negative time", "job", "me", -1],
    ["NaN", "job", "me", Number.NaN],
    ["endless time", "job", "me", Number.POSITIVE_INFINITY],
    ["2^53 seconds", "job", "me", 2 ** 53],
  ])("refuses %s before anything is written", (_, name, owner, ttl) => {
    const { db } = setup();
    expect(codeOf(() => db.tryLock(name, owner, ttl))).toBe("INVALID_ARGUMENT");
    expect(db.rows("SELECT * FROM _honker_locks")).toEqual([]);
  });

  it("are held by one owner at a time", () => {
    const { db, clock } = setup();
    const lock = db.tryLock("job", "a", 30);
    expect(lock).toMatchObject({ name: "job", owner: "a", held: true, released: false });
    expect(lock?.expiresAt.getTime()).toBe(clock.now() + 30_000);
    expect(db.tryLock("job", "b", 30)).toBeNull();
    expect(db.tryLock("other", "b", 30)).not.toBeNull();
    expect(lock?.release()).toBe(true);
    expect(lock?.release()).toBe(false);
    expect(db.tryLock("job", "b", 30)?.owner).toBe("b");
  });

  it("are ended by an operator, and only the acquisition that was looked at", () => {
    const { db } = setup();
    const lock = db.tryLock("job", "a", 30);
    const seen = db.lock("job");
    if (seen === null) return expect.unreachable();
    expect(db.releaseLock({ ...seen, token: seen.token + 1 })).toBe(false);
    expect(lock?.held).toBe(true);
    expect(db.releaseLock(seen)).toBe(true);
    expect(lock?.heartbeat()).toBe(false);
    expect(db.tryLock("job", "a", 30)?.token).toBeGreaterThan(seen.token);
    expect(db.releaseLock(seen)).toBe(false);
    expect(db.lock("job")).not.toBeNull();
    db.close();
    expect(codeOf(() => db.releaseLock(seen))).toBe("CLOSED");
  });

  it("end with their time, to the millisecond, even if nobody takes them", () => {
    const { db, clock } = setup();
    clock.advance(400);
    const lock = db.tryLock("job", "a", 1.5);
    clock.advance(1_499);
    expect(lock?.held).toBe(true);
    expect(db.tryLock("job", "b", 1)).toBeNull();
    clock.advance(1);
    expect(lock?.held).toBe(false);
    expect(lock?.heartbeat()).toBe(false);
    expect(lock?.release()).toBe(false);
    expect(db.lock("job")).toBeNull();
    expect(db.tryLock("job", "b", 1)).not.toBeNull();
  });

  it("are renewed for the time they were taken for, or for another", () => {
    const { db, clock } = setup();
    const lock = db.tryLock("job", "a", 30);
    clock.advance(20_000);
    expect(lock?.heartbeat()).toBe(true);
    expect(lock?.expiresAt.getTime()).toBe(clock.now() + 30_000);
    expect(lock?.heartbeat(120)).toBe(true);
    clock.advance(119_999);
    expect(lock?.held).toBe(true);
    clock.advance(1);
    expect(lock?.held).toBe(false);
    expect(codeOf(() => lock?.heartbeat(0))).toBe("INVALID_ARGUMENT");
  });

  it("give a token that grows with every acquisition, also after release and reopening", () => {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    const tokens: number[] = [];
    for (let i = 0; i < 5; i++) {
      const lock = db.tryLock("job", `owner-${i}`, 10);
      tokens.push(lock?.token ?? -1);
      if (i % 2 === 0) lock?.release();
      else clock.advance(10_000);
    }
    db.close();
    const again = open(db.path, { extension, clock });
    tokens.push(again.tryLock("job", "last", 10)?.token ?? -1);
    again.close();
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
  });

  it("are taken over by the same owner, whose earlier lock is then lost", () => {
    const { db } = setup();
    const zombie = db.tryLock("job", "hub-1", 30);
    const restarted = db.tryLock("job", "hub-1", 60);
    expect(restarted?.token).toBeGreaterThan(zombie?.token ?? 0);
    expect(zombie?.held).toBe(false);
    expect(zombie?.heartbeat()).toBe(false);
    expect(zombie?.release()).toBe(false);
    expect(restarted?.held).toBe(true);
  });

  it("say who holds them and until when", () => {
    const { db, clock } = setup();
    db.tryLock("b", "hub-2", 60);
    const a = db.tryLock("a", "hub-1", 30);
    expect(db.locks().map(({ name, owner }) => [name, owner])).toEqual([
      ["a", "hub-1"],
      ["b", "hub-2"],
    ]);
    expect(db.lock("a")).toEqual({
      name: "a",
      owner: "hub-1",
      token: a?.token,
      expiresAt: new Date(clock.now() + 30_000),
    });
    clock.advance(30_000);
    expect(db.locks().map(({ name }) => name)).toEqual(["b"]);
  });

  it("join a transaction: taken with its commit, not at all when it is rolled back", () => {
    const { db } = setup();
    let inside: boolean | undefined;
    expect(() =>
      db.transaction(() => {
        inside = db.tryLock("job", "a", 30)?.held;
        throw new Error("undo");
      }),
    ).toThrow("undo");
    expect(inside).toBe(true);
    expect(db.lock("job")).toBeNull();
    const lock = db.transaction(() => db.tryLock("job", "a", 30));
    expect(() =>
      db.transaction(() => {
        lock?.release();
        throw new Error("undo");
      }),
    ).toThrow("undo");
    expect(lock?.held).toBe(true);
  });

  it("keep a late holder from writing: assertHeld rolls its transaction back", () => {
    const { db, clock } = setup();
    db.execute("CREATE TABLE writes (token INTEGER)");
    const write = (lock: { token: number; assertHeld(): void } | null): void =>
      db.transaction((tx) => {
        tx.execute("INSERT INTO writes VALUES (?)", [lock?.token ?? null]);
        lock?.assertHeld();
      });
    const late = db.tryLock("job", "a", 10);
    write(late);
    clock.advance(10_000);
    expect(codeOf(() => write(late))).toBe("LEASE_LOST");
    const next = db.tryLock("job", "b", 10);
    expect(codeOf(() => write(late))).toBe("LEASE_LOST");
    write(next);
    expect(db.rows("SELECT token FROM writes")).toEqual([[late?.token], [next?.token]]);
    const ended = db.transaction((tx) => tx);
    expect(codeOf(() => next?.assertHeld(ended))).toBe("TRANSACTION_STATE");
  });

  it("are released by using, and outlive a closed handle until their time is over", () => {
    const { db, clock } = setup();
    {
      using _lock = db.tryLock("job", "a", 30);
      expect(db.lock("job")?.owner).toBe("a");
    }
    expect(db.lock("job")).toBeNull();
    const other = open(db.path, { extension, clock });
    const lock = other.tryLock("job", "a", 30);
    other.close();
    expect(codeOf(() => lock?.held)).toBe("CLOSED");
    expect(codeOf(() => lock?.release())).toBe("CLOSED");
    lock?.[Symbol.dispose]();
    expect(db.lock("job")?.owner).toBe("a");
  });

  it("end early for a clock that jumps forward and late for one that jumps back", () => {
    const { db, clock } = setup();
    const lock = db.tryLock("job", "a", 30);
    clock.advance(-86_400_000);
    expect(db.tryLock("job", "b", 30)).toBeNull();
    expect(lock?.heartbeat()).toBe(true);
    clock.advance(86_400_000);
    const next = db.tryLock("job", "b", 30);
    expect(next?.token).toBeGreaterThan(lock?.token ?? 0);
    expect(lock?.heartbeat()).toBe(false);
  });

  it("leave nothing behind but what is held", () => {
    const { db, clock } = setup();
    for (let i = 0; i < 50; i++) db.tryLock(`order-${i}`, "a", 10)?.release();
    clock.advance(1);
    expect(db.rows("SELECT count(*) FROM _honker_locks")).toEqual([[0]]);
    expect(db.rows("SELECT count(*) FROM _alk_locks")).toEqual([[0]]);
  });
});
