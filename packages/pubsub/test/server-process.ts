import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import { eventually, tempFolder } from "@alkdev/testkit";
import { onTestFinished } from "vitest";

/** Whether something listens at a url; suites that need a server report themselves as skipped otherwise. */
export async function reachable(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    const answer = (value: boolean) => () => {
      socket.destroy();
      resolve(value);
    };
    socket.once("connect", answer(true));
    socket.once("error", answer(false));
    socket.setTimeout(1_000, answer(false));
  });
}

export const { REDIS_URL = "redis://127.0.0.1:6379", NATS_URL = "nats://127.0.0.1:4222" } =
  process.env;

const binary = (...paths: string[]) => paths.find((path) => existsSync(path));
export const redisServer = binary("/usr/bin/redis-server", "/usr/local/bin/redis-server");
export const natsServer = binary(
  "/usr/sbin/nats-server",
  "/usr/bin/nats-server",
  "/usr/local/bin/nats-server",
);

/** A server of our own on a free port, which can be killed and started again with its data. */
export async function ownServer(
  command: string,
  args: (port: number, folder: string) => string[],
): Promise<{ port: number; kill(): Promise<void>; start(): Promise<void> }> {
  const folder = tempFolder();
  const port = await freePort();
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined) return;
    const gone = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGKILL");
    await gone;
  };
  const start = async (): Promise<void> => {
    child = spawn(command, args(port, folder), { stdio: "ignore", cwd: folder });
    await eventually(`${command} listens`, () => reachable(`tcp://127.0.0.1:${port}`));
  };
  onTestFinished(kill);
  await start();
  return { port, kill, start };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
