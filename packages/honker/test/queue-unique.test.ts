import type { Database, EnqueueOptions, EnqueueOutcome, Queue } from "@alkdev/honker";
import { engineModes, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";

/** What the first job of the key is when the second one comes. */
type Holder = "waiting" | "running" | "done" | "dead" | "cancelled" | "expired";

/** The decision table of docs/architecture/queues.md. */
const DECISIONS: readonly [scope: string, holder: Holder, outcomes: readonly EnqueueOutcome[]][] = [
  ["pending", "waiting", ["kept", "replaced", "postponed"]],
  ["pending", "running", ["created", "created", "created"]],
  ["pending", "done", ["created", "created", "created"]],
  ["pending", "dead", ["created", "created", "created"]],
  ["pending", "cancelled", ["created", "created", "created"]],
  ["pending", "expired", ["created", "created", "created"]],
  ["pending-or-running", "waiting", ["kept", "replaced", "postponed"]],
  ["pending-or-running", "running", ["kept", "kept", "kept"]],
  ["pending-or-running", "done", ["created", "created", "created"]],
  ["pending-or-running", "dead", ["created", "created", "created"]],
  ["pending-or-running", "cancelled", ["created", "created", "created"]],
  ["pending-or-running", "expired", ["created", "created", "created"]],
  ["window", "waiting", ["kept", "replaced", "postponed"]],
  ["window", "running", ["kept", "kept", "kept"]],
  ["window", "done", ["kept", "kept", "kept"]],
  ["window", "dead", ["kept", "kept", "kept"]],
  ["window", "cancelled", ["kept", "kept", "kept"]],
];
const RULES = ["keep", "replace", "postpone"] as const;

const CASES = DECISIONS.flatMap(([scope, holder, outcomes]) =>
  RULES.map((rule, i) => ({ scope, holder, rule, outcome: outcomes[i] as EnqueueOutcome })),
);

describe.each(engineModes)("M6: unique keys $mode", ({ extension }) => {
  function setup(): { db: Database; queue: Queue<string>; clock: FakeClock } {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    return { db, queue: db.queue<string>("q"), clock };
  }
  const unique = (scope: string, onConflict: (typeof RULES)[number]): EnqueueOptions => ({
    unique: {
      key: "k",
      scope: scope === "window" ? { windowSeconds: 60 } : (scope as "pending"),
      onConflict,
    },
  });

  it.each(CASES)("scope $scope, first job $holder, $rule: $outcome", (row) => {
    const { queue, clock } = setup();
    const first = queue.enqueue("first", {
      ...unique(row.scope, row.rule),
      priority: 1,
      ...(row.holder === "expired" ? { expiresSeconds: 1 } : {}),
    });
    if (row.holder === "expired") clock.advance(2_000);
    else if (row.holder === "cancelled") queue.cancel(first);
    else if (row.holder !== "waiting") {
      const job = queue.claimOne("w");
      if (row.holder === "done") job?.ack();
      if (row.holder === "dead") job?.fail();
    }
    const before = queue.get(first)?.runAt;

    const options = { ...unique(row.scope, row.rule), priority: 7, delaySeconds: 9 };
    const second = queue.offer("second", options);

    expect(second.outcome).toBe(row.outcome);
    expect(second.id === first).toBe(row.outcome !== "created");
    const waiting = queue.get(first);
    if (row.outcome === "kept" && row.holder === "waiting") {
      expect(waiting).toMatchObject({ payload: "first", priority: 1, runAt: before });
    }
    if (row.outcome === "replaced") {
      expect(waiting).toMatchObject({ payload: "second", priority: 7, runAt: before });
    }
    if (row.outcome === "postponed") {
      const runAt = clock.now() / 1_000 + 9;
      expect(waiting).toMatchObject({ payload: "second", priority: 7, runAt });
    }
  });

  it("a window ends with its time, and starts again with the next job", () => {
    const { queue, clock } = setup();
    const first = queue.offer("1", unique("window", "keep"));
    clock.advance(59_999);
    expect(queue.offer("2", unique("window", "keep"))).toEqual({ ...first, outcome: "kept" });
    clock.advance(1);
    const next = queue.offer("3", unique("window", "keep"));
    expect(next.outcome).toBe("created");
    clock.advance(59_999);
    expect(queue.offer("4", unique("window", "keep")).id).toBe(next.id);
  });

  it("keys of other queues, and jobs without a key, do not matter", () => {
    const { db, queue } = setup();
    queue.enqueue("a", unique("pending", "keep"));
    expect(db.queue("other").offer("a", unique("pending", "keep")).outcome).toBe("created");
    expect(queue.offer("b").outcome).toBe("created");
    const other = { unique: { key: "l" } };
    expect(queue.offer("c", other).outcome).toBe("created");
  });

  it("a batch keeps the first of each key", () => {
    const { queue } = setup();
    const ids = queue.enqueueMany(["a", "b", "c"], unique("pending", "keep"));
    expect(new Set(ids).size).toBe(1);
    expect(queue.claimBatch("w", 9).map((job) => job.payload)).toEqual(["a"]);
  });

  it("a replaced job that waits for its retry has all its attempts again", () => {
    const { queue, clock } = setup();
    const id = queue.enqueue("first", unique("pending", "keep"));
    queue.claimOne("w")?.retry(60, "no");
    expect(queue.offer("second", unique("pending", "replace")).id).toBe(id);
    expect(queue.get(id)).toMatchObject({ attempts: 0, runAt: clock.now() / 1_000 + 60 });
  });

  it("is undone with the transaction around it, window and replacement too", () => {
    const { db, queue } = setup();
    const undo = (options: EnqueueOptions): void => {
      expect(() =>
        db.transaction(() => {
          queue.enqueue("undone", options);
          throw new Error("undo");
        }),
      ).toThrow("undo");
    };
    undo(unique("window", "keep"));
    const id = queue.offer("1", unique("window", "replace"));
    expect(id.outcome).toBe("created");
    undo(unique("window", "replace"));
    expect(queue.get(id.id)?.payload).toBe("1");
  });

  it("forgets windows that are over", () => {
    const { db, queue, clock } = setup();
    queue.enqueue("1", unique("window", "keep"));
    clock.advance(60_000);
    queue.sweep();
    expect(db.rows("SELECT count(*) FROM _alk_unique_windows")).toEqual([[0]]);
  });
});
