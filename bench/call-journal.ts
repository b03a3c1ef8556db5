// What the journal of calls costs: each form against its bare handler, at both durabilities, one call after the
// other. Run: npm run bench:journal [-- --calls 5000 --rounds 5]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Durability, open } from "@alkdev/honker";
import { localEnvelope } from "@alkdev/operations";
import {
  createCallJournal,
  createTenantDatabase,
  type JournaledCall,
} from "@alkdev/storage/sqlite";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "5000" },
    rounds: { type: "string", default: "5" },
  },
});
const CALLS = Number(values.calls);
const ROUNDS = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), "bench-journal-"));
const identity = { id: "ada", scopes: ["tasks:read", "tasks:write"] };
const LARGE = "x".repeat(8_192);

type Form = (call: JournaledCall) => unknown;

function forms(path: string, durability: Durability): Readonly<Record<string, Form>> {
  const client = open(path, { durability });
  const journal = createCallJournal(createTenantDatabase(client), { owner: "bench" });
  client.execute("CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT NOT NULL)");
  const insert = client.prepare("INSERT INTO tasks (title) VALUES (?)");
  const select = client.prepare("SELECT title FROM tasks WHERE id = ?");
  const write = (): object => ({ id: insert.run(["a task"]).lastInsertRowid });
  const read = (): object => ({ title: select.row([1])?.[0] ?? null });
  const noted = (call: JournaledCall, work: () => unknown): void => {
    journal.note(call, "requested");
    const output = localEnvelope(work(), call.operationId);
    journal.note(call, { type: "responded", output });
  };
  let n = 0;
  return {
    "write, bare": () => client.transaction(write),
    "write, runAtomic": (call) => journal.runAtomic(call, write),
    "write, runAtomic, 8 KiB answer": (call) =>
      journal.runAtomic(call, () => ({ ...write(), text: LARGE })),
    "write, begin and finish": (call) => {
      journal.begin(call);
      const output = localEnvelope(client.transaction(write), call.operationId);
      journal.finish(call, { type: "responded", output });
    },
    "sent again": (call) => journal.runAtomic({ ...call, requestId: "again" }, write),
    "read, bare": read,
    "read, note": (call) => noted(call, read),
    "read, note, 8 KiB answer": (call) => noted(call, () => ({ ...read(), text: LARGE })),
    "an answer of a subscription": (call) => {
      n += 1;
      journal.note(SUBSCRIPTION, { type: "responded", output: localEnvelope(n, call.operationId) });
    },
  };
}

const SUBSCRIPTION: JournaledCall = {
  requestId: "subscription",
  operationId: "tasks.watch",
  answers: "many",
};

/** Microseconds per call. */
async function measure(form: Form, prefix: string): Promise<number> {
  const before = performance.now();
  for (let at = 0; at < CALLS; at++) {
    const requestId = `${prefix}-${crypto.randomUUID()}`;
    form({ requestId, operationId: "tasks.create", input: { title: "a task" }, identity });
    // timers of the journal are due
    if (at % 50 === 49) await setImmediate();
  }
  return ((performance.now() - before) / CALLS) * 1_000;
}

const median = (samples: readonly number[]): number =>
  samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] as number;

for (const durability of ["normal", "full"] as const) {
  const all = forms(join(folder, `${durability}.db`), durability);
  const samples = new Map<string, number[]>(Object.keys(all).map((name) => [name, []]));
  // the first round warms up
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, form] of Object.entries(all)) {
      const us = await measure(form, `${round}`);
      if (round >= 0) samples.get(name)?.push(us);
    }
  }
  console.log(`durability ${durability}: µs per call, medians of ${ROUNDS} rounds of ${CALLS}\n`);
  console.log("| form | µs | on top of the bare handler |\n| --- | --- | --- |");
  for (const [name, of] of samples) {
    const bare = median(samples.get(`${name.split(",")[0]}, bare`) ?? [0]);
    const us = median(of);
    console.log(`| ${name} | ${us.toFixed(1)} | ${(us - bare).toFixed(1)} |`);
  }
  console.log();
}
rmSync(folder, { recursive: true });
