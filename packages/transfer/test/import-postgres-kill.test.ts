import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ImportReport } from "@alkdev/transfer";
import { importPostgres } from "@alkdev/transfer";
import { describe, expect, it, onTestFinished } from "vitest";
import { opened, place, rowReports, seededHub } from "./import-fixture.ts";

const CHILD = fileURLToPath(new URL("children/import-hub.ts", import.meta.url));

/** After how many steps each process is killed; the last one may go to the end. */
const KILLED_AFTER = [2, 9, 17, 30, 22, 35, 41];

interface Message {
  readonly report?: ImportReport;
}

describe("importPostgres, killed (M38)", () => {
  it("goes on where it was after SIGKILL, and ends with what an import in one go ends with", async () => {
    const { options } = await seededHub(1_500);
    const killed = { ...options, batchSize: 40, lockSeconds: 4 };
    for (const steps of KILLED_AFTER) await runUntil(killed, steps);
    const report = await runUntil(killed, Number.POSITIVE_INFINITY);
    const whole = await importPostgres({ ...options, ...place() });

    expect(report?.ok).toBe(true);
    expect(report?.snapshots).toBeGreaterThan(3);
    expect(report?.source_tables).toEqual(whole.source_tables);
    const counts = ({ written_tables }: ImportReport) =>
      written_tables.map(({ table, written, found }) => ({ table, written, found }));
    expect(counts(report as ImportReport)).toEqual(counts(whole));
    const sums = ({ written_tables }: ImportReport) =>
      // the other tables hold the time of the import, or ids that it made
      written_tables.filter(({ table }) => ["accounts", "nodes", "edges"].includes(table));
    expect(sums(report as ImportReport)).toEqual(sums(whole));
    const sorted = (path: string): string[] =>
      rowReports(path)
        .map((line) => JSON.stringify(line))
        .toSorted();
    expect(sorted(options.rowsPath ?? "")).toEqual(sorted(whole.rowsPath));

    const { system, tenants } = opened(options);
    const files = [
      system.$client,
      ...tenants.list().map(({ orgId }) => tenants.open(orgId).db.$client),
    ];
    for (const client of files) expect((await client.integrityCheck()).ok).toBe(true);
  }, 240_000);
});

/** Runs an import in a process of its own and kills it after some steps; the report if it came first. */
async function runUntil(options: object, steps: number): Promise<ImportReport | undefined> {
  const child = fork(CHILD, [JSON.stringify(options)], {
    execArgv: ["--conditions=@alkdev/source"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let seen = 0;
  let report: ImportReport | undefined;
  child.on("message", (message: Message) => {
    if (message.report !== undefined) report = message.report;
    seen += 1;
    if (seen === steps) child.kill("SIGKILL");
  });
  const [code, signal] = await exited(child);
  expect({ code, signal }).toEqual(
    signal === null ? { code: 0, signal: null } : { code: null, signal: "SIGKILL" },
  );
  return report;
}

async function exited(child: ChildProcess): Promise<[number | null, string | null]> {
  return (await once(child, "exit")) as [number | null, string | null];
}
