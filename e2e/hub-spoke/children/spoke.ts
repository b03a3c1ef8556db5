// A spoke: serves two operations, applies the hub's durable events, and adds entries to the hub's ledger.
import { openSpoke } from "@alkdev/hub/spoke";
import { ledgerOperation } from "../ledger-operation.ts";

const [hub, key, name, file, firstEntry = "0"] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string?,
];
const spoke = openSpoke<{ "session.added": { entry: string } }>({
  hub,
  key,
  name,
  file,
  heartbeatMs: 1_000,
  reconnect: { baseMs: 20, maxMs: 200 },
  onError: (error, context) => console.error(context, error),
  operations: ({ $client }) => [
    {
      operation: ledgerOperation("spoke.copy", (entry) => {
        $client.stream("copied").publish(entry);
        return name;
      }),
      atomic: true,
    },
    {
      operation: ledgerOperation("spoke.later", async (entry) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
        $client.stream("later").publish(entry);
        return name;
      }),
    },
  ],
});
spoke.consume("session.added", "", ({ payload }) => {
  spoke.db.$client.stream("heard").publish(payload.entry);
});
process.once("SIGTERM", () => void spoke.close().then(() => process.exit()));
await spoke.ready();
console.log("ready");
let n = Number(firstEntry);
let stopped = n === 0;
process.stdin.once("data", () => {
  stopped = true;
});
while (!stopped) {
  const entry = `spoke-${n}`;
  await spoke.call("ledger.add", { entry }, { requestId: entry, timeoutMs: 60_000 });
  console.log(`acked ${n}`);
  n += 1;
}
console.log("stopped");
