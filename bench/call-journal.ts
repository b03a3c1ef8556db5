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

/** Microseconds per call: by the clock, and of the processor, which others on the machine disturb less. */
interface Sample {
  readonly wall: number;
  readonly cpu: number;
}

async function measure(form: Form, prefix: string): Promise<Sample> {
  const began = performance.now();
  const used = process.cpuUsage();
  for (let at = 0; at < CALLS; at++) {
    const requestId = `${prefix}-${crypto.randomUUID()}`;
    form({ requestId, operationId: "tasks.create", input: { title: "a task" }, identity });
    // lets the journal's timers run
    if (at % 50 === 49) await setImmediate();
  }
  const { user, system } = process.cpuUsage(used);
  return {
    wall: ((performance.now() - began) / CALLS) * 1_000,
    cpu: (user + system) / CALLS,
  };
}

const median = (samples: readonly number[]): number =>
  samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] as number;

function row(name: string, of: readonly Sample[], bare: readonly Sample[]): string {
  const cells = (["wall", "cpu"] as const).flatMap((kind) => {
    const us = median(of.map((sample) => sample[kind]));
    return [us, us - (bare.length === 0 ? 0 : median(bare.map((sample) => sample[kind])))];
  });
  return `| ${name} | ${cells.map((us) => us.toFixed(1)).join(" | ")} |`;
}

for (const durability of ["normal", "full"] as const) {
  const all = forms(join(folder, `${durability}.db`), durability);
  const samples = new Map<string, Sample[]>(Object.keys(all).map((name) => [name, []]));
  // the first round warms up
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, form] of Object.entries(all)) {
      const sample = await measure(form, `${round}`);
      if (round >= 0) samples.get(name)?.push(sample);
    }
  }
  console.log(`durability ${durability}: µs per call, medians of ${ROUNDS} rounds of ${CALLS}\n`);
  console.log("| form | clock | on top of bare | processor | on top of bare |");
  console.log("| --- | --- | --- | --- | --- |");
  for (const [name, of] of samples) {
    console.log(row(name, of, samples.get(`${name.split(",")[0]}, bare`) ?? []));
  }
  console.log();
}
rmSync(folder, { recursive: true });
