import { styleText } from "node:util";
import type { CheckedResult } from "./check.ts";
import type { Origin } from "./graph.ts";
import type { DependencyKind, PackageGraph } from "./lock-file/package-graph.ts";

/** Milliseconds from a commit to a waiting listener in another process. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
}

const VERSION_1 = "; a lock file of version 1 does not list those of the project itself";

/** What a run did. */
export interface Report extends CheckedResult {
  readonly source: string;
  readonly lockfileVersion: number;
  readonly outcome: Origin | "already finished, verified again";
  /** Entries of the lock file that only point to a package. */
  readonly links: number;
  /** Declared dependencies that are not in the lock file, by kind. */
  readonly notInstalled: Readonly<Partial<Record<DependencyKind, number>>>;
  /** `null` when this run had no notifications to measure. */
  readonly latency: Latency | null;
  readonly elapsedMs: number;
  readonly ok: boolean;
}

/** Counts by kind. */
export function notInstalled({ missing }: PackageGraph): Report["notInstalled"] {
  const counts: Partial<Record<DependencyKind, number>> = {};
  for (const { kind } of missing) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Percentiles by nearest rank. */
export function latencyOf(samples: readonly number[]): Latency | null {
  if (samples.length === 0) return null;
  const sorted = samples.toSorted((a, b) => a - b);
  const rank = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] as number;
  return { p50: rank(0.5), p99: rank(0.99), samples: samples.length };
}

/** The report as text. */
export function formatReport(report: Report): string {
  const { latency, links, lockfileVersion } = report;
  const rows: [string, string][] = [
    ["lock file", `${report.source} (${report.outcome})`],
    ["nodes", `${report.nodes}${links === 0 ? "" : `, with ${links} links followed`}`],
    ["edges", `${report.edges}${lockfileVersion === 1 ? VERSION_1 : ""}`],
    ["not installed", formatKinds(report.notInstalled)],
    ["events", String(report.events)],
    ["jobs", `${report.done} done, ${report.retried} retried, ${report.dead} dead`],
    ["wake latency", latency === null ? "nothing to measure" : formatLatency(latency)],
    ["elapsed", `${(report.elapsedMs / 1_000).toFixed(2)} s`],
  ];
  return [
    ...rows.map(([name, value]) => `  ${name.padEnd(14)}${value}`),
    "",
    ...report.checks.flatMap(formatCheck),
    "",
  ].join("\n");
}

function formatKinds(kinds: Report["notInstalled"]): string {
  const parts = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

function formatLatency({ p50, p99, samples }: Latency): string {
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms (commit to a listener in another process, ${samples} samples)`;
}

function formatCheck({ claim, problems }: CheckedResult["checks"][number]): string[] {
  if (problems.length === 0) return [`  ${styleText("green", "ok")}      ${claim}`];
  const shown = problems.slice(0, 5).map((problem) => `           ${problem}`);
  const rest = problems.length - shown.length;
  return [
    `  ${styleText("red", "failed")}  ${claim}`,
    ...shown,
    ...(rest > 0 ? [`           and ${rest} more`] : []),
  ];
}
