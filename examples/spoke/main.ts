// A hub and two spokes, each a process with its own file. A client calls both by the hub; one spoke is killed
// in the middle and started again, and every order is taken once. Run: npm run example:spoke
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { connectHub } from "@alkdev/hub/spoke";
import type { Events } from "./events.ts";

type Message = Readonly<Record<string, string>>;

const ORDERS = 40;
const folder = mkdtempSync(join(tmpdir(), "spoke-"));
const processes: ChildProcess[] = [];
const messages: Message[] = [];

function start(script: string, ...args: string[]): ChildProcess {
  const child = fork(new URL(script, import.meta.url), args, {
    execArgv: ["--conditions=@alkdev/source"],
  });
  child.on("message", (message) => messages.push(message as Message));
  processes.push(child);
  return child;
}

/** Waits for the messages of a kind, and returns them once there are `count`. */
async function receive(kind: string, count: number): Promise<Message[]> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = messages.filter((message) => message["kind"] === kind);
    if (found.length >= count) return found;
    if (Date.now() > deadline) throw new Error(`gave up waiting for ${count} × "${kind}"`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function ordersOf(spoke: string): number {
  const file = open(join(folder, `${spoke}.db`));
  const orders = file.stream("orders").readSince(0, 1_000).length;
  file.close();
  return orders;
}

try {
  start("hub.ts", join(folder, "hub"));
  const [{ url = "", key = "" } = {}] = await receive("listening", 1);
  const spoke = (name: string): ChildProcess =>
    start("spoke.ts", name, join(folder, `${name}.db`), url, key);
  spoke("north");
  const south = spoke("south");
  await receive("ready", 2);
  console.log("a hub and two spokes are up, each with its own file");

  const client = connectHub<Events>({ hub: url, key });
  client.events.publish("price.changed", "", { article: "lamp" });
  await receive("heard", 2);
  console.log("news went through the hub to both spokes, and each cleared its own cache");

  const answers = Array.from({ length: ORDERS }, (_, n) =>
    client.call(
      n % 2 === 0 ? "north.order" : "south.order",
      { article: `lamp ${n}` },
      { timeoutMs: 60_000 },
    ),
  );
  await answers[ORDERS / 4];
  south.kill("SIGKILL");
  await once(south, "exit");
  console.log("south was killed with orders under way");
  answers.push(client.call("south.order", { article: "while it is away" }, { timeoutMs: 60_000 }));
  spoke("south");
  const answered = await Promise.all(answers);
  await client.close();
  for (const child of processes) if (child.connected) child.disconnect();
  await Promise.all(
    processes.map((child) => child.exitCode ?? child.signalCode ?? once(child, "exit")),
  );
  const taken = ordersOf("north") + ordersOf("south");
  console.log(`south is back: ${answered.length} orders answered, ${taken} taken`);
  if (taken !== answered.length) process.exitCode = 1;
} finally {
  for (const child of processes) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
