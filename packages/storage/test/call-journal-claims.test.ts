import { type CallOutcome, localEnvelope } from "@alkdev/operations";
import { FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, test } from "vitest";
import { callOf, codeOf, journalFixture } from "./call-journal-fixture.ts";

const ANSWER: CallOutcome = { type: "responded", output: localEnvelope(7, "tasks.create", 1) };
const INTERRUPTED = { interrupted: true };
const failed = (code: string): CallOutcome => ({
  type: "failed",
  code,
  message: `${code} happened`,
});

/** A file whose clock, and that of its journals, is the one given. */
function fixtureOf(clock: FakeClock) {
  return journalFixture({ now: () => clock.now() }, tempDatabase({ clock }));
}

describe("M40: a call that waits is begun in one commit and ended in another", () => {
  test("of several that ask one gets it; the others hear that it runs, then how it ended", () => {
    const { journal, open: another, events } = journalFixture();
    const other = another();
    expect(journal.begin(callOf("r-1"))).toBe("new");
    expect([journal.begin(callOf("r-1")), other.begin(callOf("r-1"))]).toEqual([
      "running",
      "running",
    ]);
    expect(journal.finish(callOf("r-1"), ANSWER)).toBe(true);
    expect([journal.begin(callOf("r-1")), other.begin(callOf("r-1"))]).toEqual([ANSWER, ANSWER]);
    expect(events().map(({ type }) => type)).toEqual(["call.requested", "call.responded"]);
  });

  test("is remembered for runAtomic as well, and the other way round", () => {
    const { journal } = journalFixture();
    journal.begin(callOf("r-1"));
    expect(codeOf(() => journal.runAtomic(callOf("r-1"), () => 8))).toBe("CALL_RUNNING");
    journal.finish(callOf("r-1"), ANSWER);
    expect(journal.runAtomic(callOf("r-1"), () => 8).data).toBe(7);
    journal.runAtomic(callOf("r-2"), () => 9);
    expect(journal.begin(callOf("r-2"))).toMatchObject({ type: "responded", output: { data: 9 } });
  });

  test.each([
    ["a failure", failed("LIST_FULL"), "call.error"],
    ["a bug, which may have done something", failed("EXECUTION_ERROR"), "call.error"],
    ["an abort", { type: "aborted" } as const, "call.aborted"],
    ["a completion", { type: "completed" } as const, "call.completed"],
  ])("remembers %s", (_, outcome, type) => {
    const { journal, events } = journalFixture();
    journal.begin(callOf("r-1"));
    journal.finish(callOf("r-1"), outcome);
    expect(journal.begin(callOf("r-1"))).toEqual(outcome);
    expect(events().at(-1)?.type).toBe(type);
  });

  test.each(["ACCESS_DENIED", "VALIDATION_ERROR", "OVERLOADED", "BUSY", "STORAGE_FULL"])(
    "%s says that it was not run: it may be sent again",
    (code) => {
      const { journal, events } = journalFixture();
      journal.begin(callOf("r-1"));
      expect(journal.finish(callOf("r-1"), failed(code))).toBe(true);
      expect(events()).toHaveLength(2);
      expect(journal.begin(callOf("r-1"))).toBe("new");
    },
  );

  test("an end that nobody began, or that comes twice, is not written", () => {
    const { journal, events } = journalFixture();
    expect(journal.finish(callOf("r-1"), ANSWER)).toBe(false);
    journal.begin(callOf("r-1"));
    expect(journal.finish(callOf("r-1"), ANSWER)).toBe(true);
    expect(journal.finish(callOf("r-1"), failed("LIST_FULL"))).toBe(false);
    expect(journal.begin(callOf("r-1"))).toEqual(ANSWER);
    expect(events()).toHaveLength(2);
  });
});

describe("M40: a call whose owner is gone", () => {
  test("is interrupted when its journal closed, and can be taken over by one", () => {
    const { journal, open: another, events } = journalFixture();
    journal.begin(callOf("r-1"));
    journal.close();
    const [second, third] = [another(), another()];
    expect(second.begin(callOf("r-1"))).toEqual(INTERRUPTED);
    expect(codeOf(() => second.runAtomic(callOf("r-1"), () => 8))).toBe("CALL_INTERRUPTED");
    expect([second.takeOver(callOf("r-1")), third.takeOver(callOf("r-1"))]).toEqual([true, false]);
    expect(third.begin(callOf("r-1"))).toBe("running");
    expect(third.finish(callOf("r-1"), ANSWER)).toBe(false);
    expect(second.finish(callOf("r-1"), ANSWER)).toBe(true);
    expect(events().map(({ type }) => type)).toEqual(["call.requested", "call.responded"]);
  });

  test("counts as running until its lease is over", () => {
    const clock = new FakeClock();
    const { journal, open: another } = fixtureOf(clock);
    journal.begin(callOf("r-1"));
    clock.advance(29_999);
    expect(another().begin(callOf("r-1"))).toBe("running");
    clock.advance(1);
    expect(another().begin(callOf("r-1"))).toEqual(INTERRUPTED);
  });

  test("lives as long as its journal takes on calls; one whose lease came back can still end it", () => {
    const clock = new FakeClock();
    const { journal, open: another } = fixtureOf(clock);
    const other = another();
    journal.begin(callOf("r-1"));
    for (let at = 0; at < 5; at++) {
      clock.advance(15_000);
      journal.begin(callOf(`more-${at}`));
      expect(other.begin(callOf("r-1"))).toBe("running");
    }
    clock.advance(60_000);
    expect(other.begin(callOf("r-1"))).toEqual(INTERRUPTED);
    expect(journal.finish(callOf("r-1"), ANSWER)).toBe(true);
    expect(other.begin(callOf("r-1"))).toEqual(ANSWER);
  });

  test("a late end of what another took over changes nothing", () => {
    const clock = new FakeClock();
    const { journal, open: another, events } = fixtureOf(clock);
    const other = another();
    journal.begin(callOf("r-1"));
    clock.advance(60_000);
    expect(other.takeOver(callOf("r-1"))).toBe(true);
    expect(journal.finish(callOf("r-1"), failed("LIST_FULL"))).toBe(false);
    expect(other.finish(callOf("r-1"), ANSWER)).toBe(true);
    expect(events()).toHaveLength(2);
  });

  test("after the clock was set back by a day the lease is not held for a day", () => {
    const clock = new FakeClock();
    const { journal, open: another } = fixtureOf(clock);
    journal.begin(callOf("r-1"));
    clock.advance(-86_400_000);
    journal.begin(callOf("r-2"));
    expect(another().begin(callOf("r-1"))).toBe("running");
    clock.advance(30_000);
    expect(another().begin(callOf("r-1"))).toEqual(INTERRUPTED);
  });

  test.each(["TIMEOUT", "ABORTED", "TRANSPORT_ERROR"])(
    "%s leaves open how far it came: the end is remembered, and it can be taken over",
    (code) => {
      const { journal } = journalFixture();
      journal.begin(callOf("r-1"));
      journal.finish(callOf("r-1"), failed(code));
      expect(journal.begin(callOf("r-1"))).toEqual(failed(code));
      expect(journal.takeOver(callOf("r-1"))).toBe(true);
      expect(journal.begin(callOf("r-1"))).toBe("running");
      journal.finish(callOf("r-1"), ANSWER);
      expect(journal.begin(callOf("r-1"))).toEqual(ANSWER);
    },
  );

  test("what ended, runs, or was never heard of is not taken over", () => {
    const { journal } = journalFixture();
    for (const outcome of [ANSWER, failed("LIST_FULL"), failed("EXECUTION_ERROR")]) {
      journal.begin(callOf("r-1"));
      expect(journal.takeOver(callOf("r-1"))).toBe(false);
      journal.finish(callOf("r-1"), outcome);
      expect(journal.takeOver(callOf("r-1"))).toBe(false);
      journal.prune({ olderThanSeconds: 0, now: () => Date.now() + 1 });
    }
    expect(journal.takeOver(callOf("r-9"))).toBe(false);
  });
});

describe("M40: misuse of the journal", () => {
  test.each([
    ["an empty request id", { requestId: "" }],
    ["a request id that is no text", { requestId: 7 as unknown as string }],
    ["an operation without a name", { operationId: "" }],
    ["a caller without an id", { identity: { id: "", scopes: [] } }],
  ])("refuses %s", (_, more) => {
    const { journal, events } = journalFixture();
    const call = callOf("r-1", more);
    const all = [
      () => journal.runAtomic(call, () => 1),
      () => journal.begin(call),
      () => journal.takeOver(call),
      () => journal.finish(call, ANSWER),
      () => journal.note(call, "requested"),
    ];
    expect(all.map(codeOf)).toEqual(all.map(() => "INVALID_ARGUMENT"));
    expect(events()).toEqual([]);
  });

  test("refuses options out of their range", () => {
    const { open: another } = journalFixture();
    const wrong = [
      { owner: "" },
      { maxRecordedBytes: -1 },
      { maxRecordedBytes: 0.5 },
      { flushMs: -1 },
    ];
    for (const options of wrong) {
      expect(codeOf(() => another(options))).toBe("INVALID_ARGUMENT");
    }
    const { journal } = journalFixture();
    expect(codeOf(() => journal.prune({ limit: 0 }))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => journal.prune({ olderThanSeconds: Number.NaN }))).toBe("INVALID_ARGUMENT");
  });

  test("refuses to commit inside a transaction, and takes notes there", () => {
    const { client, journal, events } = journalFixture();
    journal.begin(callOf("r-0"));
    client.transaction(() => {
      const all = [
        () => journal.begin(callOf("r-1")),
        () => journal.takeOver(callOf("r-1")),
        () => journal.finish(callOf("r-0"), ANSWER),
        () => journal.flush(),
      ];
      expect(all.map(codeOf)).toEqual(all.map(() => "TRANSACTION_STATE"));
      journal.note(callOf("r-2"), "requested");
    });
    journal.flush();
    expect(events().map(({ requestId }) => requestId)).toEqual(["r-0", "r-2"]);
  });

  test("once closed it refuses; closing twice does nothing", () => {
    const { journal } = journalFixture();
    journal.close();
    journal[Symbol.dispose]();
    const all = [
      () => journal.runAtomic(callOf("r-1"), () => 1),
      () => journal.begin(callOf("r-1")),
      () => journal.takeOver(callOf("r-1")),
      () => journal.finish(callOf("r-1"), ANSWER),
      () => journal.note(callOf("r-1"), "requested"),
      () => journal.flush(),
      () => journal.prune(),
    ];
    expect(all.map(codeOf)).toEqual(all.map(() => "CLOSED"));
  });

  test("over a closed file it says so, and closes all the same", () => {
    const { client, journal, errors } = journalFixture();
    journal.begin(callOf("r-0"));
    client.close();
    expect(codeOf(() => journal.runAtomic(callOf("r-1"), () => 1))).toBe("CLOSED");
    expect(codeOf(() => journal.begin(callOf("r-1")))).toBe("CLOSED");
    journal.note(callOf("r-1"), "requested");
    journal.close();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: "CLOSED" });
  });
});
