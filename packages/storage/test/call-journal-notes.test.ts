import { CallError, type CallOutcome, localEnvelope } from "@alkdev/operations";
import { createCallJournal, createSystemDatabase } from "@alkdev/storage/sqlite";
import { eventually, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, test } from "vitest";
import { ADA, type CallEvent, callOf, journalFixture } from "./call-journal-fixture.ts";

const answer = (data: unknown): CallOutcome => ({
  type: "responded",
  output: localEnvelope(data, "tasks.watch", 1),
});
const FAILED: CallOutcome = {
  type: "failed",
  code: "NOT_FOUND",
  message: "no such task",
  details: { id: 7 },
};

function typesOf(events: readonly CallEvent[]): string[] {
  return events.map(({ type, requestId }) => `${requestId} ${type}`);
}

describe("M42: queries and subscriptions are written down together", () => {
  test("within flushMs, in the order they came, in one commit", async () => {
    const { client, journal, events } = journalFixture({ flushMs: 1 });
    let commits = 0;
    client.onCommit(() => {
      commits += 1;
    });
    journal.note(callOf("q-1"), "requested");
    journal.note(callOf("q-2"), "requested");
    journal.note(callOf("q-2"), FAILED);
    journal.note(callOf("q-1"), answer("x"));
    expect(events()).toEqual([]);
    await eventually("the events", () => events().length === 4);
    expect(typesOf(events())).toEqual([
      "q-1 call.requested",
      "q-2 call.requested",
      "q-2 call.error",
      "q-1 call.responded",
    ]);
    expect(commits).toBe(1);
  });

  test("at 500 events at once, without a timer", () => {
    const { journal, events } = journalFixture({ flushMs: 60_000 });
    for (let at = 0; at < 499; at++) journal.note(callOf(`q-${at}`), "requested");
    expect(events()).toEqual([]);
    journal.note(callOf("q-499"), "requested");
    expect(events()).toHaveLength(500);
  });

  test("a flush writes what waits, and closing does", () => {
    const { journal, events } = journalFixture({ flushMs: 60_000 });
    journal.flush();
    journal.note(callOf("q-1"), "requested");
    journal.flush();
    expect(events()).toHaveLength(1);
    journal.note(callOf("q-1"), answer(1));
    journal.close();
    expect(events()).toHaveLength(2);
  });

  test("what a listener notes while they are written is not lost", () => {
    const { client, journal, events } = journalFixture({ flushMs: 60_000 });
    let noted = false;
    client.onCommit(() => {
      if (noted) return;
      noted = true;
      journal.note(callOf("q-2"), "requested");
    });
    journal.note(callOf("q-1"), "requested");
    journal.flush();
    journal.flush();
    expect(typesOf(events())).toEqual(["q-1 call.requested", "q-2 call.requested"]);
  });

  test("not inside somebody's open transaction, which may be rolled back", async () => {
    const { client, journal, events } = journalFixture({ flushMs: 0 });
    const tx = client.transaction();
    for (let at = 0; at < 500; at++) journal.note(callOf(`q-${at}`), "requested");
    expect(events()).toEqual([]);
    tx.rollback();
    await eventually("the events", () => events().length === 500);
  });

  test("a value that changes afterwards is written as it was", () => {
    const { journal, events } = journalFixture();
    const input = { list: [1] };
    journal.note(callOf("q-1", { input }), "requested");
    input.list.push(2);
    journal.flush();
    expect(events()[0]).toMatchObject({ input: { list: [1] } });
  });

  test("of a subscription the first and the last answer, its number, and the end", () => {
    const { journal, events } = journalFixture();
    const call = callOf("s-1", { answers: "many" });
    journal.note(call, "requested");
    for (let at = 1; at <= 100_000; at++) journal.note(call, answer(at));
    journal.note(call, { type: "completed" });
    journal.flush();
    const [request, first, last, end, ...more] = events();
    expect(request).toMatchObject({ type: "call.requested", answers: "many" });
    expect(first).toMatchObject({ type: "call.responded", sequence: 1, output: { data: 1 } });
    expect(last).toMatchObject({ sequence: 100_000, output: { data: 100_000 } });
    expect(end).toEqual({ type: "call.completed", requestId: "s-1", sequence: 100_001 });
    expect(more).toEqual([]);
  });

  test("subscriptions without an answer, with one, and with a failure", () => {
    const { journal, events } = journalFixture();
    for (const [id, answers, end] of [
      ["s-0", 0, { type: "aborted" }],
      ["s-1", 1, { type: "completed" }],
      ["s-2", 2, FAILED],
    ] as const) {
      const call = callOf(id, { answers: "many" });
      journal.note(call, "requested");
      for (let at = 0; at < answers; at++) journal.note(call, answer(at));
      journal.note(call, end);
    }
    journal.flush();
    expect(typesOf(events())).toEqual([
      "s-0 call.requested",
      "s-0 call.aborted",
      "s-1 call.requested",
      "s-1 call.responded",
      "s-1 call.completed",
      "s-2 call.requested",
      "s-2 call.responded",
      "s-2 call.responded",
      "s-2 call.error",
    ]);
    expect(events().at(-1)).toMatchObject({ code: "NOT_FOUND", details: { id: 7 }, sequence: 3 });
  });
});

describe("M40: what of a call is written down", () => {
  test("of an identity id, scopes and resources, and nothing else that is in the object", () => {
    const { journal, events } = journalFixture();
    const identity = { ...ADA, resources: { "graph:g1": ["read"] }, token: "hunter2" };
    journal.runAtomic(callOf("r-1", { identity, metadata: { token: "hunter2" } }), () => 1);
    expect(events()[0]).toMatchObject({
      identity: { ...ADA, resources: { "graph:g1": ["read"] } },
    });
    expect(JSON.stringify(events())).not.toContain("hunter2");
  });

  test("parent, deadline and dependencies; what is none of these is left out", () => {
    const { journal, events } = journalFixture();
    const more = { parentRequestId: "r-0", deadline: 12.5, metadata: { dependsOn: ["a", "", 7] } };
    journal.note(callOf("r-1", more), "requested");
    journal.note(callOf("r-2", { parentRequestId: "", deadline: Number.NaN }), "requested");
    journal.note(callOf("r-3", { identity: null }), "requested");
    journal.flush();
    const [full, bare, stranger] = events();
    expect(full).toMatchObject({
      ...{ parentRequestId: "r-0", deadline: 13, metadata: { dependsOn: ["a"] } },
    });
    expect(Object.keys(bare ?? {}).sort()).toEqual(
      ["type", "requestId", "operationId", "input", "identity"].sort(),
    );
    expect(stranger).not.toHaveProperty("identity");
  });

  test.each<[string, unknown, unknown]>([
    ["undefined", undefined, null],
    ["null", null, null],
    ["an empty text", "", ""],
    ["NaN in a list", [Number.NaN, undefined], [null, null]],
    ["a large number", 2 ** 53, 2 ** 53],
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["bytes", Buffer.from("a"), { type: "Buffer", data: [97] }],
    ["half a surrogate pair", "\ud800", "\ud800"],
  ])("an answer of %s is kept as JSON has it", (_, output, json) => {
    const { journal, events } = journalFixture();
    journal.runAtomic(callOf("r-1"), () => output);
    expect(events()[1]).toMatchObject({ type: "call.responded", output: { data: json } });
    expect(journal.runAtomic(callOf("r-1"), () => "again").data).toEqual(json);
  });

  test("an answer that JSON cannot hold is a failure, and what was written is gone", () => {
    const { journal, add, rows, events } = journalFixture();
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const [id, output] of [
      ["r-1", 1n],
      ["r-2", cycle],
    ] as const) {
      expect(() => journal.runAtomic(callOf(id), () => [add("a"), output])).toThrow(TypeError);
      expect(events().at(-1)).toMatchObject({ type: "call.error", code: "EXECUTION_ERROR" });
    }
    expect(rows()).toEqual([]);
  });

  test("of a call that waits it is an answer that cannot be given again", () => {
    const { journal, events } = journalFixture();
    journal.begin(callOf("r-1", { input: { list: [1n] } }));
    journal.finish(callOf("r-1"), answer(1n));
    expect(journal.begin(callOf("r-1"))).toMatchObject({
      ...{ code: "OUTCOME_NOT_KEPT", details: { reason: "not JSON" } },
    });
    expect(events()).toMatchObject([{ leftOut: ["input"] }, { leftOut: ["output"] }]);
  });

  test("a failure whose details are no JSON is remembered without them", () => {
    const { journal, events, errors } = journalFixture();
    const kept = { type: "failed", code: "NOT_FOUND", message: "no such task" };
    journal.begin(callOf("r-1"));
    journal.finish(callOf("r-1"), { ...FAILED, details: 1n } as CallOutcome);
    expect(journal.begin(callOf("r-1"))).toEqual(kept);
    const refuse = () =>
      journal.runAtomic(callOf("r-2"), () => {
        throw new CallError("NOT_FOUND", "no such task", { details: 1n });
      });
    expect(refuse).toThrow("no such task");
    expect(journal.begin(callOf("r-2"))).toEqual(kept);
    expect(events().map(({ type }) => type)).toEqual([
      ...["call.requested", "call.error", "call.requested", "call.error"],
    ]);
    expect(events()[1]).toMatchObject({ leftOut: ["details"] });
    expect(errors).toEqual([]);
  });

  test("values over the limit are left out of events, and named; the answer is remembered up to 1 MiB", () => {
    const { journal, events } = journalFixture({ maxRecordedBytes: 100 });
    const input = { text: "ü".repeat(50) };
    const large = "x".repeat(1_000_000);
    journal.runAtomic(callOf("r-1", { input }), () => large);
    expect(events()).toMatchObject([{ leftOut: ["input"] }, { leftOut: ["output"] }]);
    expect(JSON.stringify(events()).length).toBeLessThan(500);
    expect(journal.runAtomic(callOf("r-1"), () => "again").data).toBe(large);
  });

  test("an answer of 10 MB is given once; sent again, the call is not run again and says why", () => {
    const { journal, add, rows, events } = journalFixture();
    const huge = "x".repeat(10_000_000);
    const run = () => {
      add("a");
      return huge;
    };
    expect(journal.runAtomic(callOf("r-1"), run).data).toBe(huge);
    expect(() => journal.runAtomic(callOf("r-1"), run)).toThrow(
      expect.objectContaining({
        code: "OUTCOME_NOT_KEPT",
        details: { operationId: "tasks.create", reason: "too large" },
      }),
    );
    expect(rows()).toEqual(["a"]);
    expect(events()).toHaveLength(2);
  });

  test("a failure with details of 10 MB is remembered without them", () => {
    const { journal, events } = journalFixture();
    const outcome = { ...FAILED, details: "x".repeat(10_000_000) } as CallOutcome;
    journal.begin(callOf("r-1"));
    journal.finish(callOf("r-1"), outcome);
    expect(journal.begin(callOf("r-1"))).toEqual({
      ...{ type: "failed", code: "NOT_FOUND", message: "no such task" },
    });
    expect(events()[1]).toMatchObject({ type: "call.error", leftOut: ["details"] });
  });
});

describe("M41: calls that carry secrets are recorded by their names", () => {
  const SECRET = "alk_hunter2";

  test("neither input nor output nor error is anywhere in the file", () => {
    const { client, journal, add, rows, events } = journalFixture();
    const secret = (id: string) => callOf(id, { input: { key: SECRET }, record: "names" });
    expect(journal.runAtomic(secret("r-1"), () => ({ key: SECRET, n: add("a") })).data).toEqual({
      key: SECRET,
      n: 1,
    });
    journal.begin(secret("r-2"));
    journal.finish(secret("r-2"), answer(SECRET));
    journal.begin(secret("r-3"));
    journal.finish(secret("r-3"), { ...FAILED, message: SECRET, details: SECRET } as CallOutcome);
    journal.note(secret("r-4"), "requested");
    journal.note(secret("r-4"), answer(SECRET));
    journal.flush();
    for (const id of ["r-1", "r-2"]) {
      expect(journal.begin(secret(id))).toMatchObject({
        ...{ code: "OUTCOME_NOT_KEPT", details: { reason: "secret" } },
      });
    }
    expect(journal.begin(secret("r-3"))).toMatchObject({ code: "NOT_FOUND" });
    expect(() => journal.runAtomic(secret("r-1"), () => add("b"))).toThrow("cannot be given again");
    expect(rows()).toEqual(["a"]);
    expect(events()[0]).toMatchObject({ operationId: "tasks.create", leftOut: ["input"] });
    for (const [table] of client.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")) {
      expect(JSON.stringify(client.rows(`SELECT * FROM "${String(table)}"`))).not.toContain(SECRET);
    }
  });
});

describe("M42: calls that belong to no tenant", () => {
  test("are journaled in system.db", () => {
    const system = createSystemDatabase(tempDatabase());
    using journal = createCallJournal(system, { owner: "hub" });
    expect(journal.runAtomic(callOf("r-1"), () => 1).data).toBe(1);
    expect(journal.runAtomic(callOf("r-1"), () => 2).data).toBe(1);
    expect(system.$client.stream("call-protocol").info().count).toBe(2);
  });
});

describe("M35: calls are remembered for a day", () => {
  test("and can then be run again; what runs is kept, what was interrupted is not", () => {
    const clock = new FakeClock();
    const {
      journal,
      open: another,
      add,
      rows,
    } = journalFixture({ now: () => clock.now() }, tempDatabase({ clock }));
    journal.runAtomic(callOf("r-1"), () => add("first"));
    journal.begin(callOf("running"));
    const gone = another();
    gone.begin(callOf("interrupted"));
    gone.close();
    clock.advance(86_400_000);
    expect(journal.prune()).toBe(0);
    clock.advance(1);
    journal.begin(callOf("keeps the lease"));
    expect(journal.prune({ limit: 1 })).toBe(1);
    expect(journal.prune()).toBe(1);
    expect(journal.prune()).toBe(0);
    journal.runAtomic(callOf("r-1"), () => add("second"));
    expect(rows()).toEqual(["first", "second"]);
    expect(journal.begin(callOf("running"))).toBe("running");
    expect(journal.begin(callOf("interrupted"))).toBe("new");
  });
});
