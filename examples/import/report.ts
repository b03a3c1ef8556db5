import { styleText } from "node:util";
import type { Found } from "./ask-hub.ts";
import type { Imported } from "./import-all.ts";
import type { Seeded } from "./source.ts";

/** What happened. */
export interface Report extends Imported {
  readonly seeded: Seeded;
  readonly hub: Found;
}

/** Whether everything that was taken is there, and everything else has its reason. */
export function isComplete(report: Report): boolean {
  return checks(report).every(([, problem]) => problem === null);
}

/** The report as text. */
export function formatReport(report: Report): string {
  const { postgres, stream, jobs, hub, seeded } = report;
  const source = postgres.source_tables.filter(({ rows }) => rows !== null);
  return [
    "",
    ...table(
      ["PostgreSQL", "rows", "taken", "not taken", "changed", "checksums"],
      source.map((one) => [
        one.table,
        String(one.rows),
        String(one.taken),
        String(one.rejected),
        String(one.changed),
        one.checksum.read === one.checksum.source ? "equal" : "DIFFERENT",
      ]),
    ),
    "",
    ...table(
      ["files", "written", "read back", "checksums", "by the hub"],
      postgres.written_tables.map((one) => [
        one.table,
        String(one.written),
        String(one.found),
        one.checksum.written === one.checksum.found ? "equal" : "DIFFERENT",
        String(hub.rows[one.table] ?? ""),
      ]),
    ),
    "",
    `  ${postgres.rows.rejected} rows of ${postgres.rows.read} were not taken; each has its reason in ${postgres.rowsPath}`,
    `  Redis stream ${stream.source.key}: ${seeded.entries} entries, ${hub.entries} in the stream "${stream.stream}"`,
    `  BullMQ ${jobs.source.queue}: ${seeded.jobs} jobs, ${hub.jobs} in the queue "${jobs.queue}"`,
    "",
    ...checks(report).map(([claim, problem]) =>
      problem === null
        ? `  ${styleText("green", "ok")}      ${claim}`
        : `  ${styleText("red", "failed")}  ${claim}: ${problem}`,
    ),
    "",
  ].join("\n");
}

/** What must hold, and why it does not. */
function checks({ postgres, stream, jobs, hub, seeded }: Report): [string, string | null][] {
  const because = (holds: boolean, problem: string): string | null => (holds ? null : problem);
  const short = postgres.written_tables
    .filter(({ table: name, written }) => (hub.rows[name] ?? written) < written)
    .map(({ table: name }) => name);
  return [
    [
      "every row of PostgreSQL was taken, or has its reason",
      because(postgres.ok, postgres.advice.join("; ")),
    ],
    [
      "the hub finds every row that was written",
      because(short.length === 0, `not of ${short.join(", ")}`),
    ],
    [
      `an API key of the old hub still signs in (account ${hub.key.accountId}, ${hub.graphsOfKey} graphs)`,
      null,
    ],
    [
      "every entry of the Redis Stream is there, in its order",
      because(hub.entries === seeded.entries && hub.inOrder, `${hub.entries} of ${seeded.entries}`),
    ],
    [
      `its consumer groups go on: ${stream.groups.map(({ group }) => group).join(", ")}`,
      because(stream.groups.length > 0, "there is none"),
    ],
    [
      "every job of BullMQ waits here",
      because(
        hub.jobs === seeded.jobs && jobs.left.length === 0,
        `${hub.jobs} of ${seeded.jobs}, ${jobs.left.length} left`,
      ),
    ],
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ")}`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}
