import { CallError } from "@alkdev/operations";
import { describe, expect, test } from "vitest";
import { ADA, callOf, codeOf, journalFixture } from "./call-journal-fixture.ts";

const FULL = { code: "LIST_FULL", description: "The list is full." };

describe("M40: a synchronous call, its outcome and its events are one commit", () => {
  test("the answer comes in an envelope, and both events are on the stream", () => {
    const { journal, add, rows, events } = journalFixture({ now: () => 1_000 });
    const output = journal.runAtomic(callOf("r-1"), () => ({ added: add("a") }));
    expect(output).toEqual({
      data: { added: 1 },
      meta: { source: "local", operationId: "tasks.create", timestamp: 1_000 },
    });
    expect(rows()).toEqual(["a"]);
    expect(events()).toEqual([
      {
        type: "call.requested",
        requestId: "r-1",
        operationId: "tasks.create",
        input: { title: "t" },
        identity: ADA,
      },
      { type: "call.responded", requestId: "r-1", output },
    ]);
  });

  test("sent again it is not run again: the answer is the same, and nothing is written", () => {
    const { journal, open, add, rows, events } = journalFixture();
    const first = journal.runAtomic(callOf("r-1"), () => add("a"));
    for (const other of [journal, open()]) {
      expect(other.runAtomic(callOf("r-1"), () => add("b"))).toEqual(first);
    }
    expect(rows()).toEqual(["a"]);
    expect(events()).toHaveLength(2);
  });

  test("another caller or operation under the same id is another call", () => {
    const { journal, add, rows } = journalFixture();
    journal.runAtomic(callOf("r-1"), () => add("ada"));
    journal.runAtomic(callOf("r-1", { identity: { id: "bob", scopes: [] } }), () => add("bob"));
    journal.runAtomic(callOf("r-1", { identity: null }), () => add("stranger"));
    journal.runAtomic(callOf("r-1", { operationId: "tasks.drop" }), () => add("drop"));
    journal.runAtomic(callOf("r-1", { identity: null }), () => add("stranger again"));
    expect(rows()).toEqual(["ada", "bob", "stranger", "drop"]);
  });

  test("transactions of the handler are parts of it, and what they roll back is gone alone", () => {
    const { client, journal, add, rows } = journalFixture();
    journal.runAtomic(callOf("r-1"), () => {
      client.transaction(() => add("kept"));
      try {
        client.transaction(() => {
          add("dropped");
          throw new Error("no");
        });
      } catch {}
    });
    expect(rows()).toEqual(["kept"]);
  });

  test("a declared failure is an outcome: what was written is gone, and it is not tried again", () => {
    const { journal, add, rows, events } = journalFixture();
    const call = callOf("r-1", { errorSchemas: [FULL] });
    const error = Object.assign(new Error("100 entries are allowed"), { code: "LIST_FULL" });
    const fail = (): never => {
      add("a");
      throw error;
    };
    expect(() => journal.runAtomic(call, fail)).toThrow(error);
    expect(rows()).toEqual([]);
    const again = () => journal.runAtomic(call, () => add("b"));
    expect(again).toThrow(new CallError("LIST_FULL", "100 entries are allowed"));
    expect(rows()).toEqual([]);
    expect(events().map(({ type }) => type)).toEqual(["call.requested", "call.error"]);
    expect(events()[1]).toMatchObject({ code: "LIST_FULL", message: "100 entries are allowed" });
  });

  test.each([
    ["a bug", new Error("secret.db is broken"), "EXECUTION_ERROR"],
    ["something that is no error", "oops", "UNKNOWN_ERROR"],
    ["a refusal", new CallError("ACCESS_DENIED", "no"), "ACCESS_DENIED"],
  ])("after %s the call may be sent again; its events stay", (_, thrown, code) => {
    const { journal, add, rows, events } = journalFixture();
    const fail = (): never => {
      add("a");
      throw thrown;
    };
    expect(() => journal.runAtomic(callOf("r-1"), fail)).toThrow();
    expect(rows()).toEqual([]);
    expect(events()[1]).toMatchObject({ type: "call.error", code });
    expect(JSON.stringify(events())).not.toContain("secret.db");
    journal.runAtomic(callOf("r-1"), () => add("b"));
    expect(rows()).toEqual(["b"]);
  });

  test("a handler that returns a promise is refused, and what it wrote is gone", () => {
    const { journal, add, rows } = journalFixture();
    const run = () => journal.runAtomic(callOf("r-1"), async () => add("a"));
    expect(codeOf(run)).toBe("TRANSACTION_STATE");
    expect(rows()).toEqual([]);
  });

  test("a handler that goes on after everything was rolled back is a failure, not an answer", () => {
    const { client, journal, add, rows, events } = journalFixture();
    const run = () =>
      journal.runAtomic(callOf("r-1"), () => {
        add("a");
        client.execute("ROLLBACK");
        return "done";
      });
    expect(codeOf(run)).toBe("TRANSACTION_STATE");
    expect(rows()).toEqual([]);
    expect(events()[1]).toMatchObject({ type: "call.error", code: "EXECUTION_ERROR" });
    expect(journal.runAtomic(callOf("r-1"), () => add("b")).data).toBe(1);
  });

  test("a file that is full is told to the caller; nothing of the call is kept", () => {
    const { client, journal, add, rows, events } = journalFixture();
    const [[pages]] = client.rows("PRAGMA page_count") as [[number]];
    client.rows(`PRAGMA max_page_count = ${pages + 8}`);
    const fill = () => journal.runAtomic(callOf("r-1"), () => add("x".repeat(100_000)));
    expect(codeOf(fill)).toBe("DISK_FULL");
    expect([rows(), events()]).toEqual([[], []]);
    const swallow = () =>
      journal.runAtomic(callOf("r-1"), () => {
        try {
          add("x".repeat(100_000));
        } catch {}
        return "done";
      });
    expect(codeOf(swallow)).not.toBe("nothing was thrown");
    client.rows(`PRAGMA max_page_count = ${pages + 1_000}`);
    expect(journal.runAtomic(callOf("r-1"), () => add("a")).data).toBe(1);
    expect(rows()).toEqual(["a"]);
  });

  test("inside an open transaction it is refused before anything runs", () => {
    const { client, journal, add, rows } = journalFixture();
    client.transaction(() => {
      expect(codeOf(() => journal.runAtomic(callOf("r-1"), () => add("a")))).toBe(
        "TRANSACTION_STATE",
      );
    });
    expect(rows()).toEqual([]);
  });
});
