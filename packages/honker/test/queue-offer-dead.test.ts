import { tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";

describe("queue.offerDead (M6, M38)", () => {
  it("adds a dead letter that nobody can claim and that a redrive brings back", () => {
    const queue = tempDatabase().queue<{ n: number }>("mails");
    const { id, outcome } = queue.offerDead(
      { n: 1 },
      { error: "550 no such user", attempts: 5, maxAttempts: 5, priority: 2, key: "ada" },
    );
    expect(outcome).toBe("created");
    expect(queue.claimOne("w")).toBeNull();
    expect(queue.dead.get(id)).toMatchObject({
      ...{ payload: { n: 1 }, error: "550 no such user", reason: "failed" },
      ...{ attempts: 5, maxAttempts: 5, priority: 2, key: "ada" },
    });
    expect(queue.dead.redrive([id])).toBe(1);
    expect(queue.claimOne("w")?.payload).toEqual({ n: 1 });
  });

  it("adds nothing where the unique key is taken, by a job or by a dead letter", () => {
    const queue = tempDatabase().queue("mails");
    const unique = { key: "bull:7", scope: { windowSeconds: 1_000 } };
    const first = queue.offerDead(null, { error: "x", unique });
    expect(queue.offerDead(null, { error: "x", unique })).toEqual({
      id: first.id,
      outcome: "kept",
    });
    expect(queue.dead.count()).toBe(1);
  });

  it("goes with the transaction that is rolled back", () => {
    const db = tempDatabase();
    const queue = db.queue("mails");
    const work = () =>
      db.transaction(() => {
        queue.offerDead(null, { error: "x" });
        throw new Error("no");
      });
    expect(work).toThrow("no");
    expect(queue.dead.count()).toBe(0);
    expect(queue.stats().pending).toBe(0);
  });

  it("refuses an error that says nothing, and attempts that are no count", () => {
    const queue = tempDatabase().queue("mails");
    for (const options of [
      { error: "" },
      { error: "x", attempts: -1 },
      { error: "x", attempts: 0.5 },
    ]) {
      expect(() => queue.offerDead(null, options)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    }
  });
});
