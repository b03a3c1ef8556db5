// A hub and two spokes, each a process with its own file. One spoke is killed and started again; the calls
// made meanwhile wait for it. Run: npm run example:hub-spoke
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Message = Readonly<Record<string, string | number>>;

const folder = mkdtempSync(join(tmpdir(), "hub-spoke-"));
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

/** Waits for the messages of a kind that fit, and returns them once there are `count`. */
async function receive(kind: string, count: number, fits: Message = {}): Promise<Message[]> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = messages.filter(
      (message) =>
        message["kind"] === kind && Object.entries(fits).every(([k, v]) => message[k] === v),
    );
    if (found.length >= count) return found;
    if (Date.now() > deadline) throw new Error(`gave up waiting for ${count} × "${kind}"`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

try {
  const hub = start("hub.ts", join(folder, "hub.db"));
  const url = String((await receive("listening", 1))[0]?.["url"]);
  const spoke = (name: string): ChildProcess =>
    start("spoke.ts", name, join(folder, `${name}.db`), url);
  spoke("north");
  const south = spoke("south");
  await receive("ready", 2);
  console.log("hub and two spokes are up, each with its own file");

  hub.send({ kind: "news", id: "g-1" });
  await receive("heard", 2, { graphId: "g-1" });
  await receive("cleared", 2, { key: "g-1" });
  console.log("news from the hub reached both spokes, and each cleared its own cache");

  const call = (spokeName: string, id: string): boolean =>
    hub.send({ kind: "call", spoke: spokeName, id });
  for (let i = 0; i < 5; i++) call("south", `before-${i}`);
  await receive("answered", 5, { by: "south" });
  console.log("south answered 5 calls");

  south.kill("SIGKILL");
  await once(south, "exit");
  for (let i = 0; i < 5; i++) call("south", `during-${i}`);
  call("north", "meanwhile");
  await receive("answered", 1, { by: "north" });
  console.log("south was killed; 5 more calls wait for it, north goes on answering");

  spoke("south");
  await receive("answered", 10, { by: "south" });
  const answers = messages.filter((message) => message["kind"] === "answered");
  const ids = answers.map((message) => message["requestId"]);
  const twice = ids.length - new Set(ids).size;
  console.log(`south is back and answered them; ${ids.length} of 11 answers, ${twice} twice`);
  if (ids.length !== 11 || twice > 0) process.exitCode = 1;
} finally {
  for (const child of processes) child.kill();
  rmSync(folder, { recursive: true, force: true });
}
