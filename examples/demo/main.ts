/**
 * The main job: a hub with a demo organisation, and a spoke in a process of its own that imports a
 * package-lock.json through the hub's operations. Kill any of them at any moment and start it again.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startHub } from "@alkdev/hub";
import { connectHub } from "@alkdev/hub/spoke";
import { readLockFile } from "../package-graph/lock-file/lock-file.ts";
import { ProgressLine } from "../package-graph/progress.ts";
import { demoKey, openRunKey, prepareDemo } from "./demo-data.ts";
import { formatReport } from "./report.ts";
import { importThroughSpoke } from "./run.ts";
import { startSpoke } from "./spoke-process.ts";
import { untilStopped } from "./until-stopped.ts";

const USAGE = `Usage: npm start -- [path/to/package-lock.json] [--once] [--data folder] [--port number] [--json]

  Starts a hub with the organisation "demo" and a spoke that imports a package-lock.json (by default this
  repository's) through the hub's operations, prints what happened, and stays up until Ctrl-C.
  --once: ends then. --data: where the files are, default ./data. --port: default 4300; 0: any that is
  free. --json: what happened as JSON.`;

const FAILED = 1;
const WRONG_USAGE = 2;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readArguments();
  if (typeof options === "number") return options;
  const stopped = untilStopped();
  try {
    return await run(options, stopped);
  } catch (error) {
    if (stopped.signal.aborted) {
      console.error("stopped; the same command goes on where it stopped");
      return stopped.exitCode();
    }
    console.error(`error: ${describe(error)}`);
    return FAILED;
  }
}

type Stopped = ReturnType<typeof untilStopped>;

async function run(options: Arguments, stopped: Stopped): Promise<number> {
  const lock = readLockFile(options.path);
  const progress = new ProgressLine();
  const say = options.json ? console.error : console.log;
  prepareDemo(options.folder);
  await using hub = await startHub({
    dataFolder: options.folder,
    port: options.port,
    onError: (error, context) => progress.say(`${context}: ${describe(error)}`),
  });
  const { system } = hub.core;
  say(`hub      ${hub.url}   organisation demo, files in ${options.folder}`);
  const shown = demoKey(system);
  say(`key      ${shown ?? "as printed at the first start"}`);
  using runKey = openRunKey(system);
  await using spoke = startSpoke({
    hub: hub.url,
    key: runKey.key,
    folder: options.folder,
    onLog: (line) => progress.say(line),
  });
  await using client = connectHub({ hub: hub.url, key: runKey.key, org: "demo" });
  const report = await importThroughSpoke({ client, lock, progress, signal: stopped.signal });
  progress.clear();
  console.log(options.json ? JSON.stringify(report, null, 2) : formatReport(report));
  if (!options.once) {
    say(invitation(hub.url, shown ?? "<the key of the first start>", report.graphId));
    await Promise.race([stopped.happened, spoke.ended]);
    if (!stopped.signal.aborted) throw new Error("the spoke ended by itself");
    say("stopping");
  }
  return report.ok ? 0 : FAILED;
}

interface Arguments {
  readonly path: string;
  readonly folder: string;
  readonly port: number;
  readonly once: boolean;
  readonly json: boolean;
}

/** The arguments, or the exit code when there is nothing to run. */
function readArguments(): Arguments | number {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        data: { type: "string", default: "data" },
        port: { type: "string", default: "4300" },
        once: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    if (positionals.length > 1) {
      throw new Error(`one lock file at a time, got ${positionals.length}`);
    }
    if (values.data === "") throw new Error("--data needs the path of a folder");
    const port = Number(values.port);
    if (values.port === "" || !Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new Error(`--port is "${values.port}"; it must be a number from 0 to 65535`);
    }
    const own = fileURLToPath(new URL("../../package-lock.json", import.meta.url));
    const { once, json } = values;
    return { path: positionals[0] ?? own, folder: resolve(values.data), port, once, json };
  } catch (error) {
    console.error(`error: ${(error as Error).message}\n\n${USAGE}`);
    return WRONG_USAGE;
  }
}

function invitation(url: string, key: string, graphId: string): string {
  const curl = (operation: string, input: object): string =>
    `  curl -s ${url}/call/${operation} -H "authorization: Bearer $KEY" -d '${JSON.stringify(input)}'`;
  return [
    "The hub stays up until Ctrl-C. In another terminal:",
    "",
    `  KEY=${key}`,
    curl("graphs.shortestPath", { graphId, from: ".", to: "node_modules/tslib" }),
    curl("calls.slowest", { limit: 3 }),
    curl("spokes.list", {}),
    `  curl -sN ${url}/subscribe/streams.tail?input=%7B%22stream%22%3A%22call-protocol%22%7D -H "authorization: Bearer $KEY"`,
    "  npm run alkdev -- --help",
    "",
  ].join("\n");
}

/** Errors that carry a code say all there is to say; others are bugs and show where. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = error.name === "LockFileError" || "code" in error;
  return expected ? error.message : (error.stack ?? error.message);
}
