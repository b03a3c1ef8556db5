import { tempDatabase } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  aborted,
  type CallEvent,
  callsFixture,
  completed,
  contentOf,
  failed,
  requested,
  responded,
} from "./call-projection-fixture.ts";

const IDS = ["a", "b", "c", "d", "e"] as const;
const id = fc.constantFrom(...IDS);

const event: fc.Arbitrary<CallEvent> = fc.oneof(
  fc
    .tuple(id, fc.option(id), fc.array(id, { maxLength: 3 }), fc.boolean())
    .map(([own, parent, dependsOn, watch]) =>
      requested(own, {
        operationId: watch ? "fs.watch" : "fs.read",
        ...(parent === null ? {} : { parentRequestId: parent }),
        metadata: { dependsOn },
      }),
    ),
  fc.tuple(id, fc.integer({ min: 0, max: 3 })).map(([own, output]) => responded(own, output)),
  id.map(completed),
  id.map(aborted),
  id.map((own) => failed(own)),
);

/** What the graph must show, said in another way: one call at a time, over all events. */
function expected(events: readonly CallEvent[]): unknown {
  const calls = new Map<string, Extract<CallEvent, { type: "call.requested" }>>();
  for (const one of events) {
    if (one.type === "call.requested" && !calls.has(one.requestId)) calls.set(one.requestId, one);
  }
  const edges = new Set<string>();
  const nodes = [...calls.values()].map((call) => {
    const { requestId, operationId, parentRequestId: parent, metadata } = call;
    if (parent !== undefined && parent !== requestId && calls.has(parent)) {
      edges.add(`${parent} triggered ${requestId}`);
    }
    for (const needed of (metadata?.dependsOn ?? []) as string[]) {
      if (needed !== requestId && calls.has(needed)) edges.add(`${requestId} depends_on ${needed}`);
    }
    return { requestId, operationId, ...outcome(requestId, operationId === "fs.watch", events) };
  });
  return { nodes: nodes.sort(byId), edges: [...edges].sort() };
}

function outcome(requestId: string, many: boolean, events: readonly CallEvent[]): object {
  const own = events.filter((one) => one.requestId === requestId && one.type !== "call.requested");
  const ends = own.findIndex(({ type }) => type !== "call.responded" || !many);
  const answers = own.flatMap((one, at) => (one.type === "call.responded" ? { at, one } : []));
  const counted = answers.filter(({ at }) => ends === -1 || at < ends).at(-1);
  const end = own[ends];
  const late = many || end?.type !== "call.completed" ? undefined : answers[0];
  const answer = !many && end?.type === "call.responded" ? answers[0] : (counted ?? late);
  const output = answer === undefined ? {} : { output: answer.one.output };
  if (end === undefined)
    return { status: counted === undefined ? "pending" : "running", ...output };
  if (end.type === "call.aborted") return { status: "aborted", ...output };
  if (end.type === "call.error") return { status: "failed", ...output };
  return { status: "completed", ...output };
}

interface Shown {
  readonly requestId: string;
  readonly operationId?: unknown;
  readonly status?: unknown;
  readonly output?: unknown;
}

const byId = (a: { requestId: string }, b: { requestId: string }): number =>
  a.requestId < b.requestId ? -1 : 1;

function shown(content: unknown): unknown {
  const { nodes, edges } = content as {
    readonly nodes: readonly { readonly attributes: Record<string, unknown> }[];
    readonly edges: readonly string[];
  };
  const calls = nodes.map(({ attributes }) => {
    const { requestId, operationId, status, output } = attributes as unknown as Shown;
    return { requestId, operationId, status, ...(output === undefined ? {} : { output }) };
  });
  return { nodes: calls.sort(byId), edges };
}

describe("call projection: any sequence of events (M37)", () => {
  test("gives what a plain reading of the events says, however they are batched, and so does a rebuild", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 0, max: 30 }),
        async (events, batchSize, projectedFirst) => {
          using client = tempDatabase();
          const isSubscription = (operation: string) => operation === "fs.watch";
          const { projection, project, publish } = callsFixture(
            { batchSize, isSubscription },
            client,
          );
          publish(...events.slice(0, projectedFirst));
          await projection.catchUp();
          publish(...events.slice(projectedFirst));
          await projection.catchUp();
          const live = contentOf(projection);
          expect(shown(live)).toEqual(expected(events));
          await project({ batchSize: 500 }).rebuild();
          expect(contentOf(projection)).toEqual(live);
          // everything twice changes nothing that the first time decided
          const { edges } = live as { readonly edges: readonly string[] };
          publish(...events);
          await projection.catchUp();
          expect(contentOf(projection)).toMatchObject({ edges });
          expect(shown(contentOf(projection))).toEqual(expected([...events, ...events]));
        },
      ),
      { numRuns: 40 },
    );
  }, 120_000);
});
