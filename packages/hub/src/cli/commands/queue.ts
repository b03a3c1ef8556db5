import { openPlace, type PlaceOptions, withPlace } from "../places/place.ts";
import { useQueue } from "../places/use-queue.ts";
import type { DataRun, DefineCommand } from "../shell.ts";
import { cell } from "../table.ts";
import { addDeadLetters } from "./queue-dead.ts";
import { addQueueJobs } from "./queue-jobs.ts";

/** `alkdev queue` */
export const defineQueue: DefineCommand = (queue, shell) => {
  withPlace(queue.command("list"))
    .description("list queues that have jobs or dead letters, or are paused")
    .action(shell.action<PlaceOptions>(list));
  withPlace(queue.command("stats <queue>"))
    .description("count the jobs of a queue")
    .action(shell.action<PlaceOptions, [string]>(stats));
  withPlace(queue.command("pause <queue>"))
    .description("no worker of any process gets another job")
    .action(shell.action<PlaceOptions, [string]>(pause));
  withPlace(queue.command("resume <queue>"))
    .description("end a pause")
    .action(shell.action<PlaceOptions, [string]>(resume));
  addQueueJobs(queue, shell);
  addDeadLetters(queue, shell);
};

function list({ data, out }: DataRun, options: PlaceOptions): void {
  using place = openPlace(data, options);
  const { queues } = place.db.stats();
  out.result({ queues }, () =>
    out.table(
      queues,
      [
        { header: "queue", value: ({ queue }) => queue, shrinks: true },
        { header: "ready", value: ({ ready }) => ready, align: "right" },
        { header: "delayed", value: ({ delayed }) => delayed, align: "right" },
        { header: "running", value: ({ running }) => running, align: "right" },
        { header: "dead", value: ({ dead }) => dead, align: "right" },
        { header: "oldest s", value: ({ oldestReadySeconds: s }) => s?.toFixed(0), align: "right" },
        { header: "state", value: ({ paused }) => (paused ? "paused" : "works") },
      ],
      `No queue of ${place.name} has jobs or dead letters.`,
    ),
  );
}

function stats(run: DataRun, options: PlaceOptions, name: string): void {
  using use = useQueue(run.data, options, name);
  run.out.result({ queue: name, ...use.queue.stats() }, (counts) => run.out.fields(counts));
}

function pause(run: DataRun, options: PlaceOptions, name: string): void {
  using use = useQueue(run.data, options, name);
  use.queue.pause();
  run.out.result({ queue: name, paused: true }, () => `Queue ${cell(name)} is paused.`);
}

function resume(run: DataRun, options: PlaceOptions, name: string): void {
  using use = useQueue(run.data, options, name);
  use.queue.resume();
  run.out.result({ queue: name, paused: false }, () => `Queue ${cell(name)} goes on.`);
}
