// Makes calls through the journal of the file given as first argument, and kills itself at the step whose number
// is the second argument; prints the number of steps. Steps are commits, effects of handlers, and looks at the
// clock, which happen inside of transactions too; 0: no kill. With a third argument the calls are made for ever,
// under ids that other processes use as well: `<file> 0 <count>`; says "ready" first.
import { open } from "@alkdev/honker";
import { localEnvelope } from "@alkdev/operations";
import { createCallJournal, createTenantDatabase } from "@alkdev/storage/sqlite";

const [path, killAt, count] = process.argv.slice(2) as [string, string, string | undefined];
let steps = 0;

function step(): void {
  steps += 1;
  if (steps === Number(killAt)) process.kill(process.pid, "SIGKILL");
}

const now = (): number => {
  step();
  return Date.now();
};
const client = open(path, { clock: { now } });
const journal = createCallJournal(createTenantDatabase(client), { owner: "child", now });
client.onCommit(step);

function effect(text: string): number {
  client.execute("INSERT INTO effects VALUES (?)", [text]);
  step();
  return 7;
}

const callOf = (requestId: string) => ({
  requestId,
  operationId: "tasks.create",
  identity: { id: "ada", scopes: [] },
  errorSchemas: [{ code: "LIST_FULL", description: "The list is full." }],
});

if (count === undefined) {
  journal.runAtomic(callOf("atomic"), () => effect("atomic"));
  try {
    journal.runAtomic(callOf("refused"), () => {
      effect("refused");
      throw Object.assign(new Error("full"), { code: "LIST_FULL" });
    });
  } catch {}
  journal.begin(callOf("waits"));
  const output = localEnvelope(effect("waits"), "tasks.create");
  journal.finish(callOf("waits"), { type: "responded", output });
  journal.note(callOf("query"), "requested");
  journal.note(callOf("query"), { type: "responded", output });
  journal.close();
  client.close();
  process.stdout.write(String(steps));
} else {
  process.send?.("ready");
  for (let at = 0; at < Number(count); at++) {
    const requestId = `r-${at}`;
    journal.runAtomic(callOf(requestId), () => effect(requestId));
    if (journal.begin(callOf(`w-${at}`)) !== "new") continue;
    const output = localEnvelope(effect(`w-${at}`), "tasks.create");
    journal.finish(callOf(`w-${at}`), { type: "responded", output });
    // lets the journal's timers run
    if (at % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  journal.close();
  client.close();
  process.disconnect?.();
}
