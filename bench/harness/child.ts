// The process that `startChild` forks: runs one exported function and sends what it returns.
import { type Conversation, Inbox, type Task } from "./processes.ts";

const task = JSON.parse(process.argv[2] ?? "") as Task;
const inbox = new Inbox();
const conversation: Conversation = {
  send: (type, data) => void process.send?.({ type, data }),
  receive: (type, timeoutMs = 600_000) => inbox.take(type, timeoutMs),
};

function leave(code: number): void {
  // lets queued messages go out first
  if (process.connected) process.send?.({ type: "leaving" }, () => process.exit(code));
  else process.exit(code);
}

process.on("disconnect", () => process.exit(0));
process.on("unhandledRejection", (error) => {
  console.error(task.name, error);
  process.exit(1);
});
process.on("message", (message: { type: string; data?: unknown }) => {
  if (message.type === "stop") leave(0);
  else inbox.deliver(message);
});

try {
  const module = (await import(task.module)) as Record<
    string,
    (input: unknown, conversation: Conversation) => unknown
  >;
  const run = module[task.name];
  if (run === undefined) throw new Error(`${task.module} has no ${task.name}`);
  conversation.send("result", await run(task.input, conversation));
} catch (error) {
  conversation.send("failed", error instanceof Error ? error.stack : String(error));
  leave(1);
}
