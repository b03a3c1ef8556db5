import type { DeadLetterSelection } from "@alkdev/honker";
import type { Command } from "commander";
import { HubError } from "../../errors.ts";
import { durationSeconds } from "../arguments/duration.ts";
import { jobId } from "../arguments/job-id.ts";
import { positive, whole } from "../arguments/whole.ts";
import { type PlaceOptions, withPlace } from "../places/place.ts";
import { useQueue } from "../places/use-queue.ts";
import type { DataRun, Shell } from "../shell.ts";

interface ListOptions extends PlaceOptions {
  readonly limit: number;
  readonly after: number;
}

interface SelectOptions extends PlaceOptions {
  readonly all?: boolean;
  readonly olderThan?: number;
}

/** Adds `alkdev queue dead`, `redrive` and `purge`. */
export function addDeadLetters(queue: Command, shell: Shell): void {
  withPlace(queue.command("dead <queue>"))
    .description("list the jobs that failed for good, and why")
    .option("--limit <count>", "at most so many", positive, 100)
    .option("--after <id>", "those after this id", whole, 0)
    .action(shell.action<ListOptions, [string]>(list));
  withPlace(queue.command("redrive <queue> [ids...]"))
    .description("put dead letters back into the queue, with all their attempts again")
    .option("--all", "all of them")
    .option("--older-than <duration>", "those that died at least so long ago", durationSeconds)
    .action(shell.action<SelectOptions, [string, string[]]>(redrive));
  withPlace(queue.command("purge <queue> [ids...]"))
    .description("delete dead letters for good")
    .option("--all", "all of them")
    .option("--older-than <duration>", "those that died at least so long ago", durationSeconds)
    .action(shell.action<SelectOptions, [string, string[]]>(purge));
}

function list({ data, out }: DataRun, options: ListOptions, name: string): void {
  using use = useQueue(data, options, name);
  const { dead } = use.queue;
  const { limit, after: afterId } = options;
  const letters = dead.list({ limit, afterId });
  const total = dead.count();
  out.result({ queue: name, total, deadLetters: letters }, () =>
    out.table(
      letters,
      [
        { header: "id", value: ({ id }) => id, align: "right" },
        { header: "died", value: ({ diedAt }) => new Date(diedAt * 1_000) },
        { header: "tries", value: ({ attempts }) => attempts, align: "right" },
        { header: "reason", value: ({ reason }) => reason },
        { header: "error", value: ({ error }) => error, shrinks: true },
        { header: "payload", value: ({ payload }) => JSON.stringify(payload), shrinks: true },
      ],
      `Queue ${name} has no dead letters.`,
    ),
  );
  if (letters.length === limit)
    out.note(`${total} in all; more with --after ${letters.at(-1)?.id}`);
}

function redrive(
  { data, out }: DataRun,
  options: SelectOptions,
  ...[name, ids]: [string, string[]]
): void {
  const selection = selected(options, ids);
  using use = useQueue(data, options, name);
  const redriven = use.queue.dead.redrive(selection);
  requireSome(name, ids, redriven);
  out.result({ queue: name, redriven }, () => `${redriven} jobs are in queue ${name} again.`);
}

async function purge(
  run: DataRun,
  options: SelectOptions,
  ...[name, ids]: [string, string[]]
): Promise<void> {
  const { data, out } = run;
  const selection = selected(options, ids);
  using use = useQueue(data, options, name);
  const { dead } = use.queue;
  const count = ids.length > 0 ? ids.length : `of ${dead.count()}`;
  await run.confirm({ what: `dead letters of queue ${name} are deleted (${count})`, word: name });
  const purged = dead.purge(selection);
  requireSome(name, ids, purged);
  out.result({ queue: name, purged }, () => `${purged} dead letters of queue ${name} are gone.`);
}

/** What is acted on is always said. @throws HubError `INVALID_ARGUMENT` */
function selected({ all, olderThan }: SelectOptions, ids: readonly string[]): DeadLetterSelection {
  const given = [all === true, olderThan !== undefined, ids.length > 0].filter(Boolean).length;
  if (given !== 1) {
    throw new HubError("INVALID_ARGUMENT", "say which dead letters, in one way", {
      hint: "Give ids, --older-than or --all",
    });
  }
  if (olderThan !== undefined) return { olderThanSeconds: olderThan };
  return all === true ? {} : { ids: ids.map(jobId) };
}

function requireSome(queue: string, ids: readonly string[], count: number): void {
  if (ids.length === 0 || count > 0) return;
  throw new HubError("NOT_FOUND", `queue "${queue}" has no dead letter ${ids.join(", ")}`, {
    hint: `alkdev queue dead ${queue} lists them`,
    details: { queue, ids },
  });
}
