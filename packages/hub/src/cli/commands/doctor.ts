import { HubError } from "../../errors.ts";
import { examineAll, examineTenant, type FileReport } from "../doctor/examine.ts";
import { EXIT } from "../exit-codes.ts";
import { requireOrg } from "../places/require-org.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

interface DoctorOptions {
  readonly org?: string;
  readonly quick?: boolean;
  readonly fix?: boolean;
}

/** `alkdev doctor` */
export const defineDoctor: DefineCommand = (command, shell) => {
  command
    .option("--org <org>", "only the tenant of this organisation")
    .option("--quick", "without reading every page of every file")
    .option("--fix", "repair what can be repaired without a decision or a loss")
    .action(shell.action<DoctorOptions>(doctor));
};

async function doctor(run: DataRun, { org, quick, fix }: DoctorOptions): Promise<void> {
  const { out, data } = run;
  const options = { integrity: quick !== true, fix: fix === true };
  const reports: FileReport[] = [];
  if (org === undefined) {
    for await (const report of examineAll(run, options)) reports.push(report);
  } else {
    const { id, slug } = requireOrg(data.system, org);
    const tenant = data.tenants.get(id);
    if (tenant === null) throw new HubError("NOT_FOUND", `organisation "${slug}" has no tenant`);
    reports.push(await examineTenant(run, tenant, options));
  }
  const healthy = reports.every((report) => report.healthy);
  if (!healthy) run.exitWith(EXIT.trouble);
  out.result({ healthy, files: reports }, () => textOf(reports, healthy));
}

function textOf(reports: readonly FileReport[], healthy: boolean): string {
  const lines = reports.flatMap(({ file, findings, skipped }) => [
    ...(skipped === null ? [] : [`${file}: not looked at: ${skipped}`]),
    ...findings.flatMap(({ severity, code, message, advice, fixed }) => [
      `${file}: ${severity}: ${message} (${code})`,
      `  ${fixed ? "Repaired." : `${advice}.`}`,
    ]),
  ]);
  const looked = reports.filter(({ skipped }) => skipped === null).length;
  const end = healthy
    ? `Nothing is wrong in ${looked} files.`
    : `Something is wrong in ${reports.filter((report) => !report.healthy).length} of ${looked} files.`;
  return [...lines, end].join("\n");
}
