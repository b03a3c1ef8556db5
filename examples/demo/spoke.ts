/** The spoke's process: serves `lockfiles.import`, which writes to the hub by calling it back. */
import { openSpoke, type Spoke } from "@alkdev/hub/spoke";
import { importOperation } from "./import-operation.ts";

const [hub = "", file = ""] = process.argv.slice(2);
const spoke: Spoke<Record<string, unknown>> = openSpoke({
  hub,
  key: process.env["ALKDEV_KEY"] ?? "",
  org: "demo",
  name: "lockfiles",
  file,
  operations: () => [importOperation(() => spoke)],
  onError: (error, context) => console.error(`spoke: ${context}: ${String(error)}`),
});

const parent = process.ppid;
// a killed hub's process leaves its spoke to be waited for by nobody
const orphaned = setInterval(() => {
  if (process.ppid !== parent) void stop();
}, 1_000);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop());

async function stop(): Promise<void> {
  clearInterval(orphaned);
  await spoke.close();
  process.exit();
}
