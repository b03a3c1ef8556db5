import type { Bench, Goal, Metric } from "./bench.ts";
import { benches } from "./benches.ts";
import type { Machine } from "./machine.ts";
import type { Durability, Peer } from "./peer.ts";
import { isNamed } from "./peers.ts";
import { median } from "./statistics.ts";
import type { BenchResult, Row } from "./tally.ts";

/** A results file. */
export interface Results {
  readonly date: string;
  /** How long it took, `34:05`; absent where several runs were put together. */
  readonly took?: string | undefined;
  readonly machine: Machine;
  /** Packages and servers, with versions. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly quick: boolean;
  /** Peers that could not take part, and why. */
  readonly missing: Readonly<Record<string, string>>;
  readonly peers: readonly PeerFacts[];
  readonly benches: readonly BenchResult[];
}

export type PeerFacts = Pick<
  Peer,
  "id" | "settings" | "durability" | "durabilityNote" | "ours" | "floor"
>;

/** How one metric of ours compares. */
export interface Verdict {
  readonly bench: string;
  readonly metric: string;
  readonly durability: Durability;
  readonly ours: number;
  readonly rival: string | undefined;
  readonly rivalValue: number | undefined;
  /** Above 1: ours is that many times as good. */
  readonly ratio: number | undefined;
  readonly goal: string;
  /** Absent where there is no goal. */
  readonly met: boolean | undefined;
}

/** Two tables: what survives a power cut, and everything else. */
const TABLES: readonly { readonly title: string; readonly durabilities: readonly Durability[] }[] =
  [
    { title: "not flushed at every commit", durabilities: ["memory", "system"] },
    { title: "every commit flushed to disk", durabilities: ["disk"] },
  ];

export function verdicts(results: Results): Verdict[] {
  return results.benches.flatMap((result) => {
    const bench = benches.find(({ name }) => name === result.bench);
    if (bench === undefined) return [];
    return TABLES.flatMap(({ durabilities }) => {
      const rows = rowsOf(results, result, durabilities);
      return Object.entries(bench.metrics)
        .filter(([, metric]) => metric.goal !== undefined || metric.aside !== true)
        .flatMap(([name, metric]) => verdict(results, bench, { name, metric, rows }));
    });
  });
}

function verdict(
  results: Results,
  bench: Bench,
  {
    name,
    metric,
    rows,
  }: { readonly name: string; readonly metric: Metric; readonly rows: readonly Row[] },
): Verdict[] {
  const facts = new Map(results.peers.map((peer) => [peer.id, peer]));
  const own = rows.find((row) => row.metric === name && facts.get(row.peer)?.ours === true);
  if (own === undefined) return [];
  const durability = facts.get(own.peer)?.durability ?? "memory";
  const goal = goalFor(metric, durability);
  const rivals = rows
    .filter((row) => row.metric === name && facts.get(row.peer)?.ours !== true)
    .filter((row) => facts.get(row.peer)?.floor !== true)
    .filter((row) => goal.against === undefined || isNamed(row.peer, goal.against))
    .filter(
      (row) => goal.equalDurability !== true || facts.get(row.peer)?.durability === durability,
    )
    .sort((a, b) => (metric.better === "more" ? b.value - a.value : a.value - b.value));
  const rival = metric.aside === true ? undefined : rivals[0];
  const ratio = rival === undefined ? undefined : ratioOf(own, rival, metric);
  return [
    {
      bench: bench.name,
      metric: name,
      durability,
      ours: own.value,
      rival: rival?.peer,
      rivalValue: rival?.value,
      ratio,
      goal: goalText(goal, metric),
      met: isMet(goal, own.value, ratio),
    },
  ];
}

/** Median of the ratios within each round, where drift of the machine cancels out. */
function ratioOf(own: Row, rival: Row, { better }: Metric): number {
  const of = (a: number, b: number): number => (better === "more" ? a / b : b / a);
  if (own.values.length !== rival.values.length) return of(own.value, rival.value);
  return median(own.values.map((value, round) => of(value, rival.values[round] ?? Number.NaN)));
}

/** Undefined where nothing was there to compare with. */
function isMet(goal: Goal, value: number, ratio: number | undefined): boolean | undefined {
  const checks: boolean[] = [];
  if (goal.ratio !== undefined && ratio !== undefined) checks.push(ratio >= goal.ratio);
  if (goal.atLeast !== undefined) checks.push(value >= goal.atLeast);
  if (goal.atMost !== undefined) checks.push(value <= goal.atMost);
  return checks.length === 0 ? undefined : checks.every(Boolean);
}

function goalFor({ goal = {}, flushedGoal }: Metric, durability: Durability): Goal {
  if (durability !== "disk") return goal;
  if (flushedGoal !== undefined) return flushedGoal;
  const { atLeast: _least, atMost: _most, ...ratio } = goal;
  return ratio;
}

function goalText(goal: Goal, { unit }: Metric): string {
  const parts: string[] = [];
  if (goal.ratio !== undefined) parts.push(`≥ ${goal.ratio} ×${against(goal)}`);
  if (goal.atLeast !== undefined) parts.push(`≥ ${number(goal.atLeast)} ${unit}`.trim());
  if (goal.atMost !== undefined) parts.push(`≤ ${number(goal.atMost)} ${unit}`.trim());
  return parts.join(", ");
}

function against({ against: names, equalDurability }: Goal): string {
  const whom = names === undefined ? "" : ` ${names.join(" and ")}`;
  return equalDurability === true ? `${whom} at equal durability` : whom;
}

/** Markdown: the goals first, then every table, then settings and versions. */
export function markdown(results: Results): string {
  const { machine } = results;
  const lines = [
    `Run of ${results.date.slice(0, 10)}${results.quick ? " (smoke run: the numbers mean nothing)" : ""}: ${results.rounds} rounds, medians${results.took === undefined ? "" : `, ${results.took} minutes in all`}; Node ${machine.node}, ${machine.system}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; a flush of 4 KiB takes ${machine.flushMs} ms here.`,
    "",
    "### Goals",
    "",
    "| bench | metric | table | ours | best peer | ratio | goal | |",
    "|---|---|---|---|---|---|---|---|",
    ...verdicts(results).map((v) => verdictLine(v)),
    "",
  ];
  for (const result of results.benches) lines.push(...benchSection(results, result));
  lines.push("### Peers", "", "| peer | settings | what a commit survives |", "|---|---|---|");
  for (const peer of results.peers) {
    lines.push(`| ${peer.id} | ${peer.settings} | ${peer.durabilityNote} |`);
  }
  lines.push("", "### Versions", "");
  for (const [name, version] of Object.entries(results.versions))
    lines.push(`- ${name} ${version}`);
  for (const [name, reason] of Object.entries(results.missing))
    lines.push(`- not run: ${name} (${reason})`);
  return `${lines.join("\n")}\n`;
}

function verdictLine(v: Verdict): string {
  const metric = benches.find(({ name }) => name === v.bench)?.metrics[v.metric];
  const rival = v.rival === undefined ? "–" : `${v.rival} ${number(v.rivalValue ?? Number.NaN)}`;
  const ratio = v.ratio === undefined ? "–" : `${number(v.ratio)} ×`;
  const met = v.met === undefined ? "" : v.met ? "met" : "**missed**";
  const ours = `${number(v.ours)} ${metric?.unit ?? ""}`.trim();
  const table = v.durability === "disk" ? "flushed" : "default";
  return `| ${v.bench} | ${metric?.title ?? v.metric} | ${table} | ${ours} | ${rival} | ${ratio} | ${v.goal} | ${met} |`;
}

function benchSection(results: Results, result: BenchResult): string[] {
  const bench = benches.find(({ name }) => name === result.bench);
  if (bench === undefined) return [];
  const [least = Number.NaN] = result.idleBefore;
  const lines = [
    `### ${bench.name}`,
    "",
    `${bench.question} Idle share of the machine before the measurements: median ${number(median(result.idleBefore))}, least ${number(least)}.`,
    "",
  ];
  for (const { title, durabilities } of TABLES) {
    const rows = rowsOf(results, result, durabilities);
    if (rows.length === 0) continue;
    const metrics = Object.entries(bench.metrics).filter(([name]) =>
      rows.some(({ metric }) => metric === name),
    );
    const heads = metrics.map(([, { title: name, unit }]) =>
      unit === "" ? name : `${name} [${unit}]`,
    );
    lines.push(
      `${title[0]?.toUpperCase()}${title.slice(1)}:`,
      "",
      `| peer | ${heads.join(" | ")} |`,
      `|---|${metrics.map(() => "---:").join("|")}|`,
    );
    for (const peer of results.peers) {
      const own = rows.filter((row) => row.peer === peer.id);
      if (own.length === 0) continue;
      const cells = metrics.map(([name]) => cell(own.find((row) => row.metric === name)));
      const label =
        peer.ours === true ? `**${peer.id}**` : peer.floor ? `${peer.id} (floor)` : peer.id;
      lines.push(`| ${label} | ${cells.join(" | ")} |`);
    }
    lines.push("");
  }
  for (const { peer, error } of result.failures) lines.push(`- ${peer} failed: ${error}`, "");
  return lines;
}

/** Median, and the spread over the rounds. */
function cell(row: Row | undefined): string {
  if (row === undefined) return "";
  const [least, most] = [Math.min(...row.values), Math.max(...row.values)];
  return least === most
    ? number(row.value)
    : `${number(row.value)} (${number(least)}–${number(most)})`;
}

function rowsOf(results: Results, result: BenchResult, durabilities: readonly Durability[]): Row[] {
  const included = new Set(
    results.peers.filter(({ durability }) => durabilities.includes(durability)).map(({ id }) => id),
  );
  return result.rows.filter(({ peer }) => included.has(peer));
}

function number(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return "–";
  if (size >= 1_000) return Math.round(value).toLocaleString("en-US");
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 1 || size === 0) return value.toFixed(size === 0 ? 0 : 2);
  return value.toFixed(3);
}
