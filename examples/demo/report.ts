import { styleText } from "node:util";

/** What a run did. */
export interface Report {
  readonly source: string;
  readonly graphId: string;
  readonly nodes: number;
  readonly edges: number;
  readonly links: number;
  /** Calls that the import made. */
  readonly calls: {
    /** As the call graph shows them below the import. */
    readonly children: number;
    readonly counts: Readonly<Record<string, number>>;
    readonly slowest: readonly { readonly operationId: string; readonly durationMs: number }[];
    readonly importStatus: string;
  };
  readonly importMs: number;
  readonly problems: readonly string[];
  readonly ok: boolean;
}

/** The report as text. */
export function formatReport(report: Report): string {
  const { calls, links, problems } = report;
  const counts = Object.entries(calls.counts).map(([status, count]) => `${count} ${status}`);
  const slowest = calls.slowest.map(
    ({ operationId, durationMs }) => `${operationId} ${Math.round(durationMs)} ms`,
  );
  const rows: readonly [string, string][] = [
    ["lock file", report.source],
    ["packages", `${report.nodes}${links === 0 ? "" : `, with ${links} links followed`}`],
    ["needs", String(report.edges)],
    [
      "imported in",
      `${(report.importMs / 1_000).toFixed(2)} s, by ${calls.children} calls of the spoke`,
    ],
    ["all calls", counts.join(", ")],
    ["slowest", slowest.join(", ")],
  ];
  return [
    "",
    ...rows.map(([name, value]) => `  ${name.padEnd(14)}${value}`),
    "",
    check("the graph, read back through the hub, is the lock file", problems),
    check(
      "the import and every call it made are in the call graph",
      report.calls.importStatus === "completed" ? [] : [`the import is ${calls.importStatus}`],
    ),
    "",
  ].join("\n");
}

function check(claim: string, problems: readonly string[]): string {
  if (problems.length === 0) return `  ${styleText("green", "ok")}      ${claim}`;
  const shown = problems.slice(0, 5).map((problem) => `\n           ${problem}`);
  const rest = problems.length > 5 ? `\n           and ${problems.length - 5} more` : "";
  return `  ${styleText("red", "failed")}  ${claim}${shown.join("")}${rest}`;
}
