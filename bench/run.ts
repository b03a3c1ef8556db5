// One command: starts throw-away servers, measures every peer in alternated rounds, prints how ours
// compares and keeps the results. See README.md.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Bench } from "./harness/bench.ts";
import { benchByName, benches } from "./harness/benches.ts";
import { now, secondsSince } from "./harness/clock.ts";
import { machine } from "./harness/machine.ts";
import { type BenchOptions, parseOptions, USAGE } from "./harness/options.ts";
import type { Peer } from "./harness/peer.ts";
import { allPeers, localPeers, peersInstalled, select } from "./harness/peers.ts";
import { markdown, type Results } from "./harness/report.ts";
import { runRounds } from "./harness/rounds.ts";
import { startServers } from "./harness/servers.ts";
import { runStages } from "./harness/stages.ts";
import type { BenchResult } from "./harness/tally.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const README = `${FOLDER}README.md`;
const MARKS = ["<!-- results -->", "<!-- /results -->"] as const;

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.report !== undefined) {
    writeReadme(merged(options.report.map(readResults)));
    return;
  }
  const chosen = options.only?.map(benchByName) ?? benches;
  const peers = await choosePeers(options);
  if (options.list) {
    for (const bench of benches) {
      const taking = peers.filter((peer) => takesPart(bench, peer)).map(({ id }) => id);
      console.log(`${bench.name}\n  ${bench.question}\n  ${taking.join(", ")}\n`);
    }
    return;
  }
  const results = await run(chosen, peers, options);
  console.log(markdown(results));
  console.log(`took ${results.took} (minutes and seconds)`);
  if (options.quick || options.peers !== undefined) return;
  const path = keep(results, options);
  console.log(`kept in ${path}`);
  if (options.only === undefined) writeReadme(results);
}

/** Installs the peers' packages once, unless only local ones are asked for. */
async function choosePeers(options: BenchOptions): Promise<Peer[]> {
  const local = await localPeers();
  const known = (name: string): boolean => select(local, [name]).length > 0;
  if (options.peers?.every(known)) return select(local, options.peers);
  if (!peersInstalled()) {
    console.error("installing the peers' packages into bench/node_modules");
    execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: FOLDER, stdio: "inherit" });
  }
  const chosen = select(await allPeers(), options.peers);
  if (chosen.length === 0) throw new Error(`no such peers: ${options.peers?.join(", ")}`);
  return chosen;
}

function takesPart(bench: Bench, peer: Peer): boolean {
  return bench.takesPart(peer) && peer.only?.includes(bench.name) !== false;
}

async function run(
  chosen: readonly Bench[],
  candidates: readonly Peer[],
  options: BenchOptions,
): Promise<Results> {
  const start = now();
  const took = (): string => minutesSince(start);
  const wanted = candidates.filter((peer) => chosen.some((bench) => takesPart(bench, peer)));
  const servers = await startServers(wanted.flatMap(({ needs }) => needs ?? []));
  try {
    const missing: Record<string, string> = {};
    const peers = wanted.filter(({ id, needs }) => {
      const gone = needs
        ?.map((name) => servers.missing[name])
        .find((reason) => reason !== undefined);
      if (gone !== undefined) missing[id] = gone;
      return gone === undefined;
    });
    const measured: BenchResult[] = [];
    for (const bench of chosen) {
      const taking = peers.filter((peer) => takesPart(bench, peer));
      const how = {
        rounds: options.rounds,
        quick: options.quick,
        quietMs: options.quietMs,
        progress: (line: string): void => console.error(`${took()} ${line}`),
      };
      measured.push(
        "open" in bench ? await runStages(bench, taking, how) : await runRounds(bench, taking, how),
      );
    }
    return {
      date: new Date().toISOString(),
      took: took(),
      machine: machine(),
      versions: { ...packageVersions(), ...servers.versions },
      rounds: options.rounds,
      quick: options.quick,
      missing,
      peers: peers.map(({ id, settings, durability, durabilityNote, ours, floor }) => ({
        id,
        settings,
        durability,
        durabilityNote,
        ...(ours === undefined ? {} : { ours }),
        ...(floor === undefined ? {} : { floor }),
      })),
      benches: measured,
    };
  } finally {
    await servers.stop();
  }
}

/** `3:07` since `start`. */
function minutesSince(start: number): string {
  const seconds = Math.round(secondsSince(start));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function packageVersions(): Record<string, string> {
  const read = (path: string): { version: string; devDependencies?: Record<string, string> } =>
    JSON.parse(readFileSync(path, "utf8"));
  const versions: Record<string, string> = {};
  for (const name of ["better-sqlite3", "drizzle-orm"]) {
    versions[name] = read(`${FOLDER}../node_modules/${name}/package.json`).version;
  }
  return { ...versions, ...read(`${FOLDER}package.json`).devDependencies };
}

function keep(results: Results, { only }: BenchOptions): string {
  const stamp = results.date.replace(/:\d\d\.\d+Z$/, "").replace(/[T:]/g, "-");
  const path = `${FOLDER}results/${stamp}${only === undefined ? "" : `-${only.join("-")}`}.json`;
  mkdirSync(`${FOLDER}results`, { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, null, 1)}\n`);
  return path;
}

function readResults(path: string): Results {
  return JSON.parse(readFileSync(path, "utf8")) as Results;
}

/** Later files win, bench by bench. */
function merged(all: readonly Results[]): Results {
  const [last] = all.slice(-1);
  if (last === undefined) throw new Error("no results files were named");
  const byName = new Map(all.flatMap((results) => results.benches).map((b) => [b.bench, b]));
  const peers = new Map(all.flatMap((results) => results.peers).map((peer) => [peer.id, peer]));
  return {
    ...last,
    took: undefined,
    versions: Object.assign({}, ...all.map(({ versions }) => versions)),
    missing: Object.assign({}, ...all.map(({ missing }) => missing)),
    peers: [...peers.values()],
    benches: benches.map(({ name }) => byName.get(name)).filter((b) => b !== undefined),
  };
}

function writeReadme(results: Results): void {
  const text = readFileSync(README, "utf8");
  const [start, end] = [text.indexOf(MARKS[0]), text.indexOf(MARKS[1])];
  if (start === -1 || end < start) throw new Error(`${README} has lost its results marks`);
  const before = text.slice(0, start + MARKS[0].length);
  writeFileSync(README, `${before}\n\n${markdown(results)}\n${text.slice(end)}`);
}

if (process.argv.includes("--help")) console.log(USAGE);
else await main(process.argv.slice(2));
