import { open, type Sequence, type StreamDelivery } from "@alkdev/honker";
import { engineModes, FakeClock } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const runs = Number(process.env.ALKDEV_PROPERTY_RUNS ?? 100);

type Step =
  | { kind: "publish"; payloads: number[]; rollback: boolean; messageId: string | undefined }
  | { kind: "read"; consumer: string; count: number }
  | { kind: "restart"; consumer: string; crash: boolean }
  | { kind: "reset"; consumer: string }
  | { kind: "prune"; maxCount: number }
  | { kind: "advance"; ms: number };

const consumers = fc.constantFrom("x", "y");

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      payloads: fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }),
      rollback: fc.boolean(),
      messageId: fc.option(fc.constantFrom("m", "n"), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("read" as const),
      consumer: consumers,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("restart" as const),
      consumer: consumers,
      crash: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reset" as const), consumer: consumers }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("prune" as const), maxCount: fc.nat(5) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(3_000) }),
  },
);

const EVERY_N = 3;
const WINDOW_MS = 2_000;

interface Reader {
  sequence: Sequence<{ offset: number; payload: number }>;
  /** The event in work. */
  delivered: number | undefined;
  position: number;
  unsaved: number;
  known: boolean;
}

describe.each(engineModes)("M5: streams against a model $mode", ({ extension }) => {
  it("agree with it after every step", async () => {
    const clock = new FakeClock();
    const db = open(":memory:", { extension, clock });
    let newest = 0;
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        run += 1;
        const options = { dedupeWindowSeconds: WINDOW_MS / 1_000 };
        const stream = db.stream<number>(`s${run}`, options);
        const log: { offset: number; payload: number }[] = [];
        const messages = new Map<string, { offset: number; until: number }>();
        const saved = new Map<string, number>();
        const readers = new Map<string, Reader>();
        const subscribe = (consumer: string): Reader => {
          const sequence = stream.subscribe(consumer, { saveEveryN: EVERY_N, saveEverySeconds: 0 });
          const position = saved.get(consumer) ?? 0;
          saved.set(consumer, position);
          const reader = { sequence, delivered: undefined, position, unsaved: 0, known: true };
          readers.set(consumer, reader);
          return reader;
        };

        for (const current of steps) {
          switch (current.kind) {
            case "publish": {
              const { payloads, rollback, messageId } = current;
              const before = { newest, length: log.length, message: messages.get(messageId ?? "") };
              const work = (): void => {
                payloads.forEach((payload, i) => {
                  const id = i === 0 ? messageId : undefined;
                  const known = id === undefined ? undefined : messages.get(id);
                  const repeated = known !== undefined && known.until > clock.now();
                  const expected = repeated ? known.offset : newest + 1;
                  const publishOptions = id === undefined ? {} : { messageId: id };
                  expect(stream.publish(payload, publishOptions)).toBe(expected);
                  if (repeated) return;
                  newest += 1;
                  log.push({ offset: newest, payload });
                  if (id !== undefined) {
                    messages.set(id, { offset: newest, until: clock.now() + WINDOW_MS });
                  }
                });
                if (rollback) throw new Error("undo");
              };
              if (!rollback) {
                db.transaction(work);
                break;
              }
              expect(() => db.transaction(work)).toThrow("undo");
              newest = before.newest;
              log.length = before.length;
              if (messageId !== undefined) {
                if (before.message === undefined) messages.delete(messageId);
                else messages.set(messageId, before.message);
              }
              break;
            }
            case "read": {
              const reader = readers.get(current.consumer) ?? subscribe(current.consumer);
              for (let i = 0; i < current.count; i++) {
                const after = reader.delivered ?? reader.position;
                const next = log.find((event) => event.offset > after);
                if (next === undefined) break;
                if (reader.delivered !== undefined) {
                  reader.position = reader.delivered;
                  reader.unsaved += 1;
                }
                const { value } = await reader.sequence.next();
                expect(value).toMatchObject(next);
                reader.delivered = next.offset;
                if (reader.unsaved >= EVERY_N) {
                  reader.unsaved = 0;
                  saved.set(
                    current.consumer,
                    Math.max(saved.get(current.consumer) ?? 0, reader.position),
                  );
                }
              }
              break;
            }
            case "restart": {
              const reader = readers.get(current.consumer);
              if (reader === undefined) break;
              reader.sequence.close();
              readers.delete(current.consumer);
              saved.set(
                current.consumer,
                Math.max(saved.get(current.consumer) ?? 0, reader.position),
              );
              break;
            }
            case "reset": {
              if (readers.has(current.consumer)) break;
              stream.resetOffset(current.consumer, 0);
              saved.set(current.consumer, 0);
              break;
            }
            case "prune": {
              const limit = Math.min(newest, ...saved.values());
              const excess = log.slice(0, Math.max(0, log.length - current.maxCount));
              const gone = excess.filter((event) => event.offset <= limit).length;
              expect(stream.prune({ maxCount: current.maxCount })).toBe(gone);
              log.splice(0, gone);
              break;
            }
            case "advance":
              clock.advance(current.ms);
          }
          expect(
            stream.readSince(0, 1_000).map(({ offset, payload }) => ({ offset, payload })),
          ).toEqual(log);
          for (const [consumer, offset] of saved) expect(stream.getOffset(consumer)).toBe(offset);
        }
        for (const { sequence } of readers.values()) sequence.close();
      }),
      { numRuns: runs },
    );
    db.close();
  });

  type GroupStep =
    | { kind: "publish"; key: string | undefined }
    | { kind: "fetch"; count: number }
    | { kind: "ack" | "nak" | "term" | "extend"; index: number }
    | { kind: "redrive" }
    | { kind: "advance"; ms: number };

  const groupStep: fc.Arbitrary<GroupStep> = fc.oneof(
    fc.record({
      kind: fc.constant("publish" as const),
      key: fc.option(fc.constantFrom("k", "l"), { nil: undefined }),
    }),
    fc.record({ kind: fc.constant("fetch" as const), count: fc.integer({ min: 1, max: 3 }) }),
    fc.record({
      kind: fc.constantFrom("ack" as const, "nak" as const, "term" as const, "extend" as const),
      index: fc.nat(9),
    }),
    fc.record({ kind: fc.constant("redrive" as const) }),
    fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(1_500) }),
  );

  it("a group loses nothing, holds no more than it may and keeps keys in order", () => {
    const clock = new FakeClock();
    const db = open(":memory:", { extension, clock });
    let run = 0;
    const property = fc.property(
      fc.array(groupStep, { maxLength: 60 }),
      fc.boolean(),
      (steps, orderedByKey) => {
        run += 1;
        const stream = db.stream<number>(`s${run}`);
        const limits = { ackDeadlineSeconds: 1, maxInFlight: 4, maxDeliveries: 2, backoff: 0.5 };
        const group = stream.group("g", { ...limits, orderedByKey });
        const keys = new Map<number, string | null>();
        const done = new Set<number>();
        /** Deliveries whose deadline lies ahead. */
        const inWork = new Map<StreamDelivery<number>, number>();
        const given: StreamDelivery<number>[] = [];
        const dead = () => group.dead.list().map(({ offset }) => offset);
        const current = () => [...inWork].filter(([, until]) => until > clock.now());

        const fetch = (count: number): StreamDelivery<number>[] => {
          const deliveries = group.fetch("m", count);
          for (const delivery of deliveries) {
            expect(done.has(delivery.offset)).toBe(false);
            expect(delivery.deliveries).toBeLessThanOrEqual(limits.maxDeliveries);
            for (const [other] of current()) {
              expect(other.offset).not.toBe(delivery.offset);
              if (orderedByKey && delivery.key !== null) expect(other.key).not.toBe(delivery.key);
            }
            given.push(delivery);
            inWork.set(delivery, clock.now() + 1_000);
          }
          expect(current().length).toBeLessThanOrEqual(limits.maxInFlight);
          return deliveries;
        };

        for (const action of steps) {
          switch (action.kind) {
            case "publish": {
              const offset = stream.publish(0, action.key === undefined ? {} : { key: action.key });
              keys.set(offset, action.key ?? null);
              break;
            }
            case "fetch":
              fetch(action.count);
              break;
            case "redrive":
              group.dead.redrive();
              break;
            case "advance":
              clock.advance(action.ms);
              break;
            default: {
              const delivery = given[action.index];
              if (delivery === undefined) break;
              const mine = current().some(([other]) => other === delivery);
              if (action.kind === "extend") {
                const extended = delivery.extend(1);
                if (mine) expect(extended).toBe(true);
                if (extended) inWork.set(delivery, clock.now() + 1_000);
                break;
              }
              const ended =
                action.kind === "ack"
                  ? delivery.ack()
                  : action.kind === "nak"
                    ? delivery.nak()
                    : delivery.term("no");
              if (mine) expect(ended).toBe(true);
              if (ended) inWork.delete(delivery);
              if (ended && action.kind === "ack") done.add(delivery.offset);
            }
          }
        }
        // in the end every event is either acknowledged or dead
        for (let i = 0; i < 200 && group.info().floor < ([...keys.keys()].at(-1) ?? 0); i++) {
          for (const delivery of fetch(4)) {
            expect(delivery.ack()).toBe(true);
            inWork.delete(delivery);
            done.add(delivery.offset);
          }
          clock.advance(1_000);
        }
        expect([...done, ...dead()].sort((a, b) => a - b)).toEqual([...keys.keys()]);
      },
    );
    fc.assert(property, { numRuns: runs });
    db.close();
  });
});
