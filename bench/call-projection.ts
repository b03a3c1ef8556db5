// Projection of calls: events per second from a full stream into a call graph, by batch size, a rebuild
// beside it, and the time from a publish to the projected call. Run: npm run bench:projection [-- --calls 20000]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { open } from "@alkdev/honker";
import { createCallProjection, createTenantDatabase } from "@alkdev/storage/sqlite";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "20000" },
    rounds: { type: "string", default: "3" },
  },
});
const CALLS = Number(values.calls);
const ROUNDS = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), "bench-calls-"));

const median = (samples: readonly number[]): number =>
  samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] as number;

/** Trees of ten calls, each with a small input and answer. */
function* events(): Generator<object> {
  for (let at = 0; at < CALLS; at++) {
    const parent = at % 10 === 0 ? {} : { parentRequestId: `r-${at - (at % 10)}` };
    const identity = { id: "ada", scopes: ["graphs:read"] };
    const input = { path: `/tmp/${at}`, flags: ["r"] };
    const operationId = `fs.read${at % 20}`;
    yield { type: "call.requested", requestId: `r-${at}`, operationId, input, identity, ...parent };
    if (at % 50 === 49) {
      yield {
        type: "call.error",
        requestId: `r-${at}`,
        code: "NOT_FOUND",
        message: "no such file",
      };
    } else yield { type: "call.responded", requestId: `r-${at}`, output: { bytes: at } };
  }
}

async function perSecond(count: number, work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return Math.round((count / (performance.now() - before)) * 1_000);
}

async function round(batchSize: number, at: number) {
  const client = open(join(folder, `calls-${batchSize}-${at}.db`));
  const projection = createCallProjection(createTenantDatabase(client), {
    consumer: "bench",
    batchSize,
  });
  client.stream("call-protocol").publishMany(events());
  const live = await perSecond(2 * CALLS, () => projection.catchUp());
  const rebuilt = await perSecond(2 * CALLS, () => projection.rebuild());
  const latencies: number[] = [];
  projection.start();
  for (let call = 0; call < 200; call++) {
    const requestId = `live-${call}`;
    const before = performance.now();
    client.stream("call-protocol").publish({ type: "call.requested", requestId, operationId: "x" });
    while (projection.calls.get(requestId) === null) await setImmediate();
    latencies.push(performance.now() - before);
  }
  await projection.stop();
  client.close();
  return { live, rebuilt, latency: median(latencies) };
}

console.log(`${2 * CALLS} events of ${CALLS} calls, medians of ${ROUNDS} rounds\n`);
console.log(
  "| events per commit | projected per second | rebuilt per second | publish to projected |",
);
console.log("| --- | --- | --- | --- |");
for (const batchSize of [1, 50, 500, 5_000]) {
  const rounds: Awaited<ReturnType<typeof round>>[] = [];
  for (let at = 0; at < ROUNDS; at++) rounds.push(await round(batchSize, at));
  const of = (pick: (one: (typeof rounds)[number]) => number) => median(rounds.map(pick));
  const latency = `${of((one) => one.latency).toFixed(2)} ms`;
  const cells = [batchSize, of((one) => one.live), of((one) => one.rebuilt), latency];
  console.log(`| ${cells.join(" | ")} |`);
}
rmSync(folder, { recursive: true, force: true });
