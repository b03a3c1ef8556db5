import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { connect as connectSocket, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { sleep } from "./clock.ts";
import { freshFolder } from "./context.ts";

export type ServerName = "redis" | "redis-aof" | "redis-always" | "postgres" | "nats" | "nats-sync";

/** Where the servers of this run listen; handed to child processes through this variable. */
const PORTS = "BENCH_SERVER_PORTS";

/** @throws when the run has no such server */
export function serverPort(name: ServerName): number {
  const ports = JSON.parse(process.env[PORTS] ?? "{}") as Partial<Record<ServerName, number>>;
  const port = ports[name];
  if (port === undefined) throw new Error(`the server "${name}" is not running`);
  return port;
}

export interface RunningServers {
  /** Versions as the servers themselves print them. */
  readonly versions: Readonly<Partial<Record<ServerName, string>>>;
  /** Why a server that was asked for is not there. */
  readonly missing: Readonly<Partial<Record<ServerName, string>>>;
  stop(): Promise<void>;
}

/** A server's own process and how to end it. */
interface Started {
  readonly process: ChildProcess;
  readonly signal: NodeJS.Signals;
}

interface Kind {
  readonly binary: string;
  readonly signal: NodeJS.Signals;
  /** Arguments after everything it needs was made in `folder`. */
  prepare(folder: string, port: number, binary: string): string[];
  readonly needsVersion?: readonly [major: number, minor: number];
  /** Servers that refuse to run as root run as this user then. */
  readonly user?: string;
}

const KINDS: Readonly<Record<ServerName, Kind>> = {
  redis: redis(["--appendonly", "no"]),
  "redis-aof": redis(["--appendonly", "yes", "--appendfsync", "everysec"]),
  "redis-always": redis(["--appendonly", "yes", "--appendfsync", "always"]),
  postgres: {
    binary: "postgres",
    signal: "SIGINT",
    user: "postgres",
    prepare(folder, port, binary) {
      const data = join(folder, "data");
      const owner = userIds("postgres");
      if (owner !== undefined) {
        chmodSync(join(folder, ".."), 0o755);
        chownSync(folder, owner.uid, owner.gid);
      }
      const initdb = binary.replace(/postgres$/, "initdb");
      const flags = ["-D", data, "-U", "bench", "--auth=trust", "--no-locale", "-E", "UTF8"];
      execFileSync(initdb, flags, { stdio: "ignore", cwd: folder, ...owner });
      return ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder];
    },
  },
  nats: nats(""),
  "nats-sync": { ...nats("sync_interval: always"), needsVersion: [2, 10] },
};

function redis(flags: readonly string[]): Kind {
  return {
    binary: "redis-server",
    signal: "SIGTERM",
    prepare: (folder, port) => [
      ...["--bind", "127.0.0.1", "--port", String(port), "--save", "", "--dir", folder],
      ...flags,
    ],
  };
}

function nats(jetstream: string): Kind {
  return {
    binary: "nats-server",
    signal: "SIGTERM",
    prepare(folder, port) {
      const store = join(folder, "store");
      mkdirSync(store);
      const config = `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${store}"\n${jetstream} }\n`;
      writeFileSync(join(folder, "nats.conf"), config);
      return ["-c", join(folder, "nats.conf")];
    },
  };
}

/** Starts throw-away servers on free loopback ports with data of their own. */
export async function startServers(names: Iterable<ServerName>): Promise<RunningServers> {
  const started: Started[] = [];
  const ports: Partial<Record<ServerName, number>> = {};
  const versions: Partial<Record<ServerName, string>> = {};
  const missing: Partial<Record<ServerName, string>> = {};
  const stop = async (): Promise<void> => {
    await Promise.all(started.map(end));
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void stop().then(() => process.exit(130)));
  }
  for (const name of new Set(names)) {
    const kind = KINDS[name];
    const binary = findBinary(kind.binary);
    if (binary === undefined) {
      missing[name] = `${kind.binary} is not installed`;
      continue;
    }
    const version = execFileSync(binary, ["--version"], { encoding: "utf8" }).trim();
    if (kind.needsVersion !== undefined && !atLeast(version, kind.needsVersion)) {
      missing[name] = `needs ${kind.binary} ${kind.needsVersion.join(".")}, found ${version}`;
      continue;
    }
    try {
      const port = await freePort();
      const folder = freshFolder(name);
      const args = kind.prepare(folder, port, binary);
      const owner = kind.user === undefined ? {} : (userIds(kind.user) ?? {});
      const child = spawn(binary, args, { stdio: "ignore", cwd: folder, ...owner });
      started.push({ process: child, signal: kind.signal });
      await accepts(port, child);
      ports[name] = port;
      versions[name] = version;
    } catch (error) {
      missing[name] = error instanceof Error ? error.message : String(error);
    }
  }
  process.env[PORTS] = JSON.stringify(ports);
  return { versions, missing, stop };
}

async function end({ process: child, signal }: Started): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await gone;
  clearTimeout(timer);
}

/** PostgreSQL's server is often not on the path: Debian keeps it in a folder per version. */
function findBinary(name: string): string | undefined {
  const { PATH = "" } = process.env;
  const debian = "/usr/lib/postgresql";
  const folders = PATH.split(delimiter);
  if (existsSync(debian)) {
    for (const version of readdirSync(debian)) folders.push(join(debian, version, "bin"));
  }
  folders.push("/usr/sbin", "/usr/local/sbin");
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The ids to run as, when this process is root. */
function userIds(user: string): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number =>
    Number(execFileSync("id", [flag, user], { encoding: "utf8" }).trim());
  return { uid: id("-u"), gid: id("-g") };
}

function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const found = /(\d+)\.(\d+)/.exec(version);
  if (found === null) return false;
  const [foundMajor, foundMinor] = [Number(found[1]), Number(found[2])];
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

async function accepts(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt++) {
    if (child.exitCode !== null) throw new Error(`exited with ${child.exitCode} at start`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connectSocket(port, "127.0.0.1");
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("close", () => socket.destroy());
      socket.once("connect", () => socket.end());
    });
    if (open) return;
    await sleep(100);
  }
  throw new Error(`does not accept connections on port ${port}`);
}
