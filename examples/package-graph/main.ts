/**
 * The main job: a package-lock.json becomes a graph, and three processes share the work through one
 * database file. Kill any of them at any moment and start again: nothing is lost, nothing is done twice.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readLockFile } from "./lock-file/lock-file.ts";
import { ProgressLine } from "./progress.ts";
import { formatReport } from "./report.ts";
import { run } from "./run.ts";

const USAGE = `Usage: npm start -- [path/to/package-lock.json] [--data folder] [--json]

  Imports a package-lock.json (version 1, 2 or 3; by default this repository's) as a graph into
  <folder>/tenant-demo.db, counts each package's dependencies in a second process and follows the
  events in a third. --data: where the databases are, default ./data. --json: the report as JSON.`;

const FAILED = 1;
const WRONG_USAGE = 2;
/** 128 + the signal's number, as shells have it. */
const STOPPED_BY = { SIGINT: 130, SIGTERM: 143 } as const;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readArguments();
  if (typeof options === "number") return options;
  const stop = new AbortController();
  let exitCode = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // the second one means it
      if (stop.signal.aborted) process.exit(STOPPED_BY[signal]);
      exitCode = STOPPED_BY[signal];
      stop.abort();
    });
  }
  try {
    const lock = readLockFile(options.path);
    const progress = new ProgressLine();
    const report = await run({ lock, folder: options.folder, progress, signal: stop.signal });
    if (report === null) {
      console.error("stopped; the same command goes on where it stopped");
      return exitCode;
    }
    console.log(options.json ? JSON.stringify(report, null, 2) : formatReport(report));
    return report.ok ? 0 : FAILED;
  } catch (error) {
    console.error(`error: ${describe(error)}`);
    return FAILED;
  }
}

interface Arguments {
  readonly path: string;
  readonly folder: string;
  readonly json: boolean;
}

/** The arguments, or the exit code when there is nothing to run. */
function readArguments(): Arguments | number {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        data: { type: "string", default: "data" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    if (positionals.length > 1)
      throw new Error(`one lock file at a time, got ${positionals.length}`);
    if (values.data === "") throw new Error("--data needs the path of a folder");
    const own = fileURLToPath(new URL("../../package-lock.json", import.meta.url));
    return { path: positionals[0] ?? own, folder: resolve(values.data), json: values.json };
  } catch (error) {
    console.error(`error: ${(error as Error).message}\n\n${USAGE}`);
    return WRONG_USAGE;
  }
}

/** Errors that carry a code say all there is to say; others are bugs and show where. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = error.name === "LockFileError" || "code" in error;
  return expected ? error.message : (error.stack ?? error.message);
}
