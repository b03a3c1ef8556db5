import { resolveHubOptions } from "../../core/hub-options.ts";
import { startHubWorkers } from "../../workers/hub-workers.ts";
import { positive } from "../arguments/whole.ts";
import type { DataRun, DefineCommand } from "../shell.ts";
import { untilAborted } from "../until-aborted.ts";

interface WorkersOptions {
  readonly concurrency: number;
  readonly maxActive: number;
  readonly backups?: string;
}

/** `alkdev workers` */
export const defineWorkers: DefineCommand = (command, shell) => {
  command
    .description("work on the queues and schedules of all files, until Ctrl-C or SIGTERM")
    .option("--concurrency <count>", "handlers at a time per queue of a tenant", positive, 1)
    .option("--max-active <count>", "tenants that are worked on at a time", positive, 8)
    .option("--backups <folder>", "back all tenants up there every night, each copy verified")
    .action(shell.action<WorkersOptions>(work));
};

async function work(run: DataRun, options: WorkersOptions): Promise<void> {
  const { data, out, signal } = run;
  const { system, tenants } = data;
  const settings = resolveHubOptions({
    dataFolder: data.path,
    onError: (error, context) => out.warn(error, context),
  });
  const { backups: folder, ...ofTenants } = options;
  const workers = startHubWorkers(
    { system, tenants, settings },
    { tenants: ofTenants, ...(folder === undefined ? {} : { backups: { folder } }) },
  );
  out.line({ data: data.path, pid: process.pid }, ({ data: path }) =>
    [`Working on the queues of ${path}`, "Stop it with Ctrl-C."].join("\n"),
  );
  await untilAborted(signal);
  out.note("Stopping.");
  await workers.stop();
}
