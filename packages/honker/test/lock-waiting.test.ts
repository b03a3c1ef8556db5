import { HonkerError, type Lock } from "@alkdev/honker";
import { engineModes, eventually, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";

/** A promise with its ends, to say when work under a lock is over. */
function gate(): { opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

async function failure(promise: Promise<unknown>): Promise<HonkerError> {
  const error: unknown = await promise.then(
    () => new Error("it was fulfilled"),
    (reason) => reason,
  );
  if (error instanceof HonkerError) return error;
  throw error;
}

describe.each(engineModes)("M8: withLock $mode", ({ extension }) => {
  it("excludes everybody else, also the same owner, and hands over on release", async () => {
    const db = tempDatabase({ extension });
    let inside = 0;
    const tokens: number[] = [];
    await Promise.all(
      Array.from({ length: 20 }, () =>
        db.withLock("job", { owner: "same" }, async (lock) => {
          inside += 1;
          expect(inside).toBe(1);
          tokens.push(lock.token);
          await new Promise((resolve) => setImmediate(resolve));
          inside -= 1;
        }),
      ),
    );
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
    expect(new Set(tokens).size).toBe(20);
    expect(db.locks()).toEqual([]);
  });

  it("returns what the work returns and releases when it throws", async () => {
    const db = tempDatabase({ extension });
    await expect(db.withLock("job", {}, () => 42)).resolves.toBe(42);
    await expect(
      db.withLock("job", {}, () => {
        throw new Error("of the work");
      }),
    ).rejects.toThrow("of the work");
    expect(db.lock("job")).toBeNull();
    await expect(db.withLock("job", {}, (lock) => lock.release())).resolves.toBe(true);
  });

  it("fails with who and until when if it may not wait any longer", async () => {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    db.tryLock("leader", "hub-2", 60);
    for (const waitMs of [0, 20]) {
      const error = await failure(db.withLock("leader", { waitMs }, () => undefined));
      expect(error.code).toBe("LOCK_HELD");
      expect(error.message).toContain(
        'lock "leader" is held by "hub-2" until 2026-01-01T00:01:00.000Z',
      );
      expect(error.details).toMatchObject({ owner: "hub-2", until: "2026-01-01T00:01:00.000Z" });
    }
  });

  it("takes over when the time of a silent holder is over", async () => {
    const db = tempDatabase({ extension });
    const silent = db.tryLock("job", "crashed", 0.2);
    const started = performance.now();
    await db.withLock("job", {}, (lock) => {
      expect(lock.token).toBeGreaterThan(silent?.token ?? 0);
      expect(performance.now() - started).toBeGreaterThan(150);
    });
  });

  it("renews the lock while the work runs", async () => {
    const db = tempDatabase({ extension });
    await db.withLock("job", { ttlSeconds: 0.15 }, async (lock, signal) => {
      const first = lock.expiresAt.getTime();
      await eventually("the lock was renewed twice", () => lock.expiresAt.getTime() > first + 80);
      expect(lock.held).toBe(true);
      expect(signal.aborted).toBe(false);
    });
  });

  it("aborts the signal of the work when somebody else has the lock, and fails", async () => {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    let reason: unknown;
    const error = await failure(
      db.withLock("job", { owner: "a" }, async (_, signal) => {
        clock.advance(31_000);
        db.tryLock("job", "thief", 30);
        await eventually("the signal is aborted", () => signal.aborted);
        reason = signal.reason;
      }),
    );
    expect(error.code).toBe("LEASE_LOST");
    expect(reason).toMatchObject({ code: "LEASE_LOST" });
    expect(db.lock("job")?.owner).toBe("thief");
  });

  it("gives up waiting, and passes an abort on to the work", async () => {
    const db = tempDatabase({ extension });
    const holder = db.tryLock("job", "a", 60) as Lock;
    const stop = new AbortController();
    const waiting = db.withLock("job", { signal: stop.signal }, () => "never");
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    holder.release();

    const again = new AbortController();
    const work = db.withLock("job", { signal: again.signal }, async (_, signal) => {
      again.abort(new Error("stop"));
      signal.throwIfAborted();
    });
    await expect(work).rejects.toThrow("stop");
    expect(db.lock("job")).toBeNull();
  });

  it("ends with CLOSED when its handle is closed, waiting or working", async () => {
    const db = tempDatabase({ extension });
    db.tryLock("held", "a", 60);
    const waiting = failure(db.withLock("held", {}, () => undefined));
    const { opened, open } = gate();
    let reason: unknown;
    const working = failure(
      db.withLock("job", {}, async (_, signal) => {
        open();
        await eventually("the signal is aborted", () => signal.aborted);
        reason = signal.reason;
      }),
    );
    await opened;
    db.close();
    expect((await waiting).code).toBe("CLOSED");
    expect((await working).code).toBe("CLOSED");
    expect(reason).toMatchObject({ code: "CLOSED" });
  });

  it("refuses to wait inside a transaction", async () => {
    const db = tempDatabase({ extension });
    const error = await db.transaction((tx) => {
      const refused = failure(db.withLock("job", {}, () => undefined));
      expect(tx.open).toBe(true);
      return { refused };
    }).refused;
    expect(error.code).toBe("TRANSACTION_STATE");
    expect(db.lock("job")).toBeNull();
  });

  it("does not take a lock that was released by a transaction rolled back later", async () => {
    const db = tempDatabase({ extension });
    const holder = db.tryLock("job", "a", 60) as Lock;
    const taken = db.withLock("job", {}, (lock) => lock.owner);
    const tx = db.transaction();
    holder.release();
    await new Promise((resolve) => setImmediate(resolve));
    tx.rollback();
    await new Promise((resolve) => setImmediate(resolve));
    expect(db.lock("job")?.owner).toBe("a");
    holder.release();
    await expect(taken).resolves.not.toBe("a");
  });
});
