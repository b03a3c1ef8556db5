import { type CallOutcome, localEnvelope } from "@alkdev/operations";
import { type CallJournal, createCallProjection } from "@alkdev/storage/sqlite";
import { FakeClock, tempDatabase } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { callOf, journalFixture } from "./call-journal-fixture.ts";

const RUNS = Number(process.env.ALKDEV_PROPERTY_RUNS ?? 60);
const TIMEOUT_MS = 60_000 + RUNS * 500;
const JOURNALS = 3;
const LEASE_MS = 30_000;
const DECLARED = { code: "LIST_FULL", description: "The list is full." };

const failed = (code: string): CallOutcome => ({ type: "failed", code, message: "no" });
const OUTCOMES: readonly CallOutcome[] = [
  { type: "responded", output: localEnvelope("done", "tasks.create", 1) },
  failed("LIST_FULL"),
  failed("EXECUTION_ERROR"),
  failed("TIMEOUT"),
  failed("ACCESS_DENIED"),
  { type: "aborted" },
];

type Command =
  | { readonly do: "atomic"; readonly how: "ok" | "declared" | "bug" }
  | { readonly do: "begin" | "takeOver" | "reopen" }
  | { readonly do: "finish"; readonly outcome: number }
  | { readonly do: "wait"; readonly seconds: number }
  | { readonly do: "prune" };

interface Step {
  readonly journal: number;
  readonly call: number;
  readonly command: Command;
}

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    do: fc.constant("atomic" as const),
    how: fc.constantFrom("ok" as const, "declared" as const, "bug" as const),
  }),
  fc.record({ do: fc.constantFrom("begin" as const, "takeOver" as const, "reopen" as const) }),
  fc.record({ do: fc.constant("begin" as const) }),
  fc.record({
    do: fc.constant("finish" as const),
    outcome: fc.nat({ max: OUTCOMES.length - 1 }),
  }),
  fc.record({ do: fc.constant("wait" as const), seconds: fc.constantFrom(1, 12, 25, 40, -20) }),
  fc.record({ do: fc.constant("prune" as const) }),
);
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    journal: fc.nat({ max: JOURNALS - 1 }),
    call: fc.nat({ max: 3 }),
    command,
  }),
  { minLength: 1, maxLength: 60 },
);

/** Two ids, two callers. */
const CALLS = [0, 1, 2, 3].map((at) =>
  callOf(`r-${at % 2}`, {
    identity: at < 2 ? { id: "ada", scopes: [] } : null,
    errorSchemas: [DECLARED],
  }),
);

interface Known {
  readonly outcome: CallOutcome | null;
  /** The journal that runs it, and how often that one was reopened before. */
  readonly owner: readonly [journal: number, life: number] | null;
  readonly at: number;
}

/** What the journals should say, kept in a map. */
class Oracle {
  readonly #clock: FakeClock;
  readonly #calls = new Map<number, Known>();
  readonly #lives = Array.from({ length: JOURNALS }, () => ({ life: 0, leaseUntil: 0 }));
  readonly effects = CALLS.map(() => 0);

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  atomic(call: number, how: "ok" | "declared" | "bug"): string {
    const known = this.#calls.get(call);
    if (known !== undefined) {
      const claim = this.#claim(known);
      if (claim === "running") return "CALL_RUNNING";
      if (claim === "interrupted") return "CALL_INTERRUPTED";
      if (claim.type === "responded") return String(claim.output.data);
      return claim.type === "failed" ? claim.code : "ABORTED";
    }
    const at = this.#clock.now();
    if (how === "ok") {
      this.effects[call] = (this.effects[call] ?? 0) + 1;
      const output = localEnvelope(`done ${this.effects[call]}`, "tasks.create", at);
      this.#calls.set(call, { outcome: { type: "responded", output }, owner: null, at });
      return String(output.data);
    }
    if (how === "declared")
      this.#calls.set(call, { outcome: failed("LIST_FULL"), owner: null, at });
    return how === "declared" ? "LIST_FULL" : "a bug";
  }

  begin(call: number, journal: number): unknown {
    const known = this.#calls.get(call);
    if (known !== undefined) return this.#told(known);
    const lease = this.#renew(journal);
    this.#calls.set(call, { outcome: null, owner: [journal, lease.life], at: this.#clock.now() });
    return "new";
  }

  takeOver(call: number, journal: number): boolean {
    const lease = this.#renew(journal);
    const known = this.#calls.get(call);
    if (known === undefined) return false;
    const claim = this.#claim(known);
    if (claim === "running") return false;
    const open =
      claim === "interrupted" ||
      claim.type === "aborted" ||
      (claim.type === "failed" && claim.code === "TIMEOUT");
    if (!open) return false;
    this.#calls.set(call, { outcome: null, owner: [journal, lease.life], at: this.#clock.now() });
    return true;
  }

  finish(call: number, journal: number, outcome: CallOutcome): boolean {
    const owner = this.#calls.get(call)?.owner;
    if (owner?.[0] !== journal || owner[1] !== this.#lives[journal]?.life) return false;
    if (outcome.type === "failed" && outcome.code === "ACCESS_DENIED") this.#calls.delete(call);
    else this.#calls.set(call, { outcome, owner: null, at: this.#clock.now() });
    return true;
  }

  reopen(journal: number): void {
    const { life } = this.#lives[journal] as { life: number };
    this.#lives[journal] = { life: life + 1, leaseUntil: 0 };
  }

  prune(olderMs: number): number {
    const before = this.#clock.now() - olderMs;
    const gone = [...this.#calls].filter(
      ([, known]) =>
        known.at < before && (known.owner === null || this.#claim(known) !== "running"),
    );
    for (const [call] of gone) this.#calls.delete(call);
    return gone.length;
  }

  #told(known: Known): unknown {
    const claim = this.#claim(known);
    return claim === "interrupted" ? { interrupted: true } : claim;
  }

  #claim({ outcome, owner }: Known): "running" | "interrupted" | CallOutcome {
    if (outcome !== null) return outcome;
    const [journal, life] = owner as readonly [number, number];
    const lease = this.#lives[journal];
    const alive = lease?.life === life && lease.leaseUntil > this.#clock.now();
    return alive ? "running" : "interrupted";
  }

  #renew(journal: number): { life: number; leaseUntil: number } {
    const lease = this.#lives[journal] as { life: number; leaseUntil: number };
    const left = lease.leaseUntil - this.#clock.now();
    if (left <= (LEASE_MS * 2) / 3 || left > LEASE_MS) {
      lease.leaseUntil = this.#clock.now() + LEASE_MS;
    }
    return lease;
  }
}

/** What a call of `runAtomic` came to, as one text. */
function said(work: () => { readonly data: unknown }): string {
  try {
    return String(work().data);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return code ?? message;
  }
}

describe("M40: requests that are repeated, by any journal of the file", () => {
  test(
    "are answered as an oracle says, and have as many effects",
    () => {
      fc.assert(
        fc.property(steps, (all) => {
          const clock = new FakeClock();
          const client = tempDatabase({ clock });
          const { open, add, rows, events } = journalFixture({ now: () => clock.now() }, client);
          const journals = Array.from({ length: JOURNALS }, () => open());
          const oracle = new Oracle(clock);
          for (const { journal: at, call, command } of all) {
            const journal = journals[at] as CallJournal;
            const its = CALLS[call] as (typeof CALLS)[number];
            switch (command.do) {
              case "atomic": {
                const work = (): string => {
                  add(String(call));
                  if (command.how === "bug") throw new Error("a bug");
                  if (command.how === "declared") throw Object.assign(new Error("no"), DECLARED);
                  return `done ${rows().filter((row) => row === String(call)).length}`;
                };
                expect(said(() => journal.runAtomic(its, work))).toBe(
                  oracle.atomic(call, command.how),
                );
                break;
              }
              case "begin":
                expect(journal.begin(its)).toEqual(oracle.begin(call, at));
                break;
              case "takeOver":
                expect(journal.takeOver(its)).toBe(oracle.takeOver(call, at));
                break;
              case "finish": {
                const outcome = OUTCOMES[command.outcome] as CallOutcome;
                expect(journal.finish(its, outcome)).toBe(oracle.finish(call, at, outcome));
                break;
              }
              case "reopen":
                journal.close();
                journals[at] = open();
                oracle.reopen(at);
                break;
              case "wait":
                clock.advance(command.seconds * 1_000);
                break;
              case "prune":
                expect(journal.prune({ olderThanSeconds: 100 })).toBe(oracle.prune(100_000));
            }
            expect(
              CALLS.map((_, one) => rows().filter((row) => row === String(one)).length),
            ).toEqual(oracle.effects);
          }
          // no event that the catalog does not know
          events();
          for (const journal of journals) journal.close();
          client.close();
        }),
        { numRuns: RUNS },
      );
    },
    TIMEOUT_MS,
  );
});

type Shape =
  | { readonly kind: "atomic"; readonly throws: boolean }
  | { readonly kind: "waits"; readonly outcome: number }
  | { readonly kind: "query"; readonly outcome: number }
  | { readonly kind: "subscription"; readonly answers: number; readonly outcome: number };

const outcome = fc.nat({ max: OUTCOMES.length - 1 });
const shape: fc.Arbitrary<Shape> = fc.oneof(
  fc.record({ kind: fc.constant("atomic" as const), throws: fc.boolean() }),
  fc.record({ kind: fc.constant("waits" as const), outcome }),
  fc.record({ kind: fc.constant("query" as const), outcome }),
  fc.record({ kind: fc.constant("subscription" as const), answers: fc.nat({ max: 4 }), outcome }),
);

describe("M37: the call graph of a journal", () => {
  test(
    "has every call with its end, its answer and its parent",
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(shape, { minLength: 1, maxLength: 20 }), async (shapes) => {
          const { client, db, journal } = journalFixture();
          const expected: unknown[] = [];
          shapes.forEach((one, at) => {
            const many = one.kind === "subscription";
            const parent = at === 0 ? null : `c-${Math.floor((at - 1) / 2)}`;
            const call = callOf(`c-${at}`, {
              errorSchemas: [DECLARED],
              ...(parent === null ? {} : { parentRequestId: parent }),
              ...(many ? { answers: "many" as const } : {}),
            });
            const end = make(journal, call, one);
            expected.push({ requestId: `c-${at}`, parentRequestId: parent, ...end });
          });
          journal.flush();
          const projection = createCallProjection(db, { consumer: "hub:test:calls" });
          await projection.catchUp();
          const found = shapes.map((_, at) => {
            const call = projection.calls.get(`c-${at}`);
            if (call === null) return null;
            const { requestId, parentRequestId, status, output, error } = call;
            const data = (output as { data?: unknown } | undefined)?.data;
            return { requestId, parentRequestId, status, data, code: error?.code };
          });
          expect(found).toEqual(expected);
          journal.close();
          client.close();
        }),
        { numRuns: Math.ceil(RUNS / 4) },
      );
    },
    TIMEOUT_MS,
  );
});

/** Makes a call as its shape says. @returns what the graph must say of it */
function make(journal: CallJournal, call: ReturnType<typeof callOf>, one: Shape): object {
  if (one.kind === "atomic") {
    const thrown = Object.assign(new Error("full"), DECLARED);
    const answer = said(() =>
      journal.runAtomic(call, () => {
        if (one.throws) throw thrown;
        return "atomic";
      }),
    );
    return one.throws
      ? { status: "failed", data: undefined, code: answer }
      : { status: "completed", data: answer, code: undefined };
  }
  const chosen = OUTCOMES[one.outcome] as CallOutcome;
  if (one.kind === "waits") {
    journal.begin(call);
    journal.finish(call, chosen);
    return endOf(chosen, undefined);
  }
  journal.note(call, "requested");
  if (one.kind === "query") {
    journal.note(call, chosen);
    return endOf(chosen, undefined);
  }
  for (let answer = 1; answer <= one.answers; answer++) {
    journal.note(call, {
      type: "responded",
      output: localEnvelope(`answer ${answer}`, call.operationId),
    });
  }
  const end: CallOutcome = chosen.type === "responded" ? { type: "completed" } : chosen;
  journal.note(call, end);
  return endOf(end, one.answers === 0 ? undefined : `answer ${one.answers}`);
}

function endOf(end: CallOutcome, data: unknown): object {
  switch (end.type) {
    case "responded":
      return { status: "completed", data: end.output.data, code: undefined };
    case "completed":
      return { status: "completed", data, code: undefined };
    case "aborted":
      return { status: "aborted", data, code: undefined };
    case "failed":
      return { status: "failed", data, code: end.code };
  }
}
