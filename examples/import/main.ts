/**
 * From PostgreSQL, Redis and BullMQ to a hub: seeds all three, imports them, starts a hub on what came over
 * and reads it back through operations. Kill it at any moment and start it again: it goes on.
 */
import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { startHub } from "@alkdev/hub";
import { untilStopped } from "../demo/until-stopped.ts";
import { ProgressLine } from "../package-graph/progress.ts";
import { askHub, keyOfOldHub } from "./ask-hub.ts";
import { importAll } from "./import-all.ts";
import { formatReport, isComplete, type Report } from "./report.ts";
import { dropSource, type Source, seedSource } from "./source.ts";

const {
  POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/test",
  REDIS_URL = "redis://127.0.0.1:6379",
} = process.env;

const USAGE = `Usage: npm run example:import -- [--once] [--rows number] [--data folder] [--port number] [--json] [--drop]

  Seeds a hub in PostgreSQL, a Redis Stream and a queue of BullMQ, imports them, starts a hub on the files and
  compares. Stays up until Ctrl-C. --once: ends then. --rows: rows in PostgreSQL, roughly, default 20000.
  --data: where the files go, default ./data-import. --name: schema and prefix of keys, default alkdev_import.
  --port: default 4300; 0: any that is free. --json: what happened as JSON. --drop: removes what was seeded
  and imported, and ends. POSTGRES_URL and REDIS_URL say where the servers are.`;

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

async function run(options: Arguments, stopped: ReturnType<typeof untilStopped>): Promise<number> {
  const { folder, rows, json } = options;
  const source: Source = { postgresUrl: POSTGRES_URL, redisUrl: REDIS_URL, name: options.name };
  if (options.drop) {
    await dropSource(source);
    rmSync(folder, { recursive: true, force: true });
    return 0;
  }
  const progress = new ProgressLine();
  const { signal } = stopped;
  const seeded = await seedSource(source, { rows, progress, signal });
  const imported = await importAll(source, { folder, progress, signal });
  progress.clear();
  await using hub = await startHub({ dataFolder: folder, port: options.port });
  const key = keyOfOldHub(hub.core);
  const report: Report = {
    seeded,
    ...imported,
    hub: await askHub(hub, { ...key, stream: imported.stream, jobs: imported.jobs }),
  };
  console.log(json ? JSON.stringify(report, null, 2) : formatReport(report));
  if (!options.once) {
    const say = json ? console.error : console.log;
    say(
      [
        `The hub is at ${hub.url} until Ctrl-C. A key of the old hub still works:`,
        "",
        `  curl -s ${hub.url}/call/graphs.list -H "authorization: Bearer ${key.key}" -H "alkdev-org: ${key.orgId}" -d '{"limit":3}'`,
        "",
        `What was seeded goes by: npm run example:import -- --drop --data ${folder}`,
        "",
      ].join("\n"),
    );
    await stopped.happened;
  }
  return isComplete(report) ? 0 : FAILED;
}

interface Arguments {
  readonly folder: string;
  readonly name: string;
  readonly rows: number;
  readonly port: number;
  readonly once: boolean;
  readonly json: boolean;
  readonly drop: boolean;
}

/** The arguments, or the exit code when there is nothing to run. */
function readArguments(): Arguments | number {
  try {
    const { values } = parseArgs({
      options: {
        data: { type: "string", default: "data-import" },
        name: { type: "string", default: "alkdev_import" },
        rows: { type: "string", default: "20000" },
        port: { type: "string", default: "4300" },
        once: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        drop: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    if (values.data === "") throw new Error("--data needs the path of a folder");
    if (!/^[a-z][a-z0-9_]{0,40}$/.test(values.name)) {
      throw new Error("--name takes up to 41 lower case letters, digits and underscores");
    }
    const { name, once, json, drop } = values;
    const rows = whole("rows", values.rows, 100, 10_000_000);
    const port = whole("port", values.port, 0, 65_535);
    return { folder: resolve(values.data), name, rows, port, once, json, drop };
  } catch (error) {
    console.error(`error: ${(error as Error).message}\n\n${USAGE}`);
    return WRONG_USAGE;
  }
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text !== "" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`--${name} is "${text}"; it must be a whole number from ${least} to ${most}`);
}

/** Errors that carry a code say all there is to say; others are bugs and show where. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? error.message : (error.stack ?? error.message);
}
