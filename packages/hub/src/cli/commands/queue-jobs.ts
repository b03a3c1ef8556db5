import type { EnqueueOptions } from "@alkdev/honker";
import { openCatalogQueue } from "@alkdev/storage/catalog";
import type { Command } from "commander";
import { HubError } from "../../errors.ts";
import { durationSeconds } from "../arguments/duration.ts";
import { jobId } from "../arguments/job-id.ts";
import { jsonArgument } from "../arguments/text-argument.ts";
import { integer, positive } from "../arguments/whole.ts";
import { openPlace, type PlaceOptions, withPlace } from "../places/place.ts";
import { useQueue } from "../places/use-queue.ts";
import type { DataRun, Shell } from "../shell.ts";

interface EnqueueCommandOptions extends PlaceOptions {
  readonly priority?: number;
  readonly delay?: number;
  readonly expires?: number;
  readonly attempts?: number;
  readonly unique?: string;
}

/** Adds `alkdev queue enqueue`, `job` and `cancel`. */
export function addQueueJobs(queue: Command, shell: Shell): void {
  withPlace(queue.command("enqueue <queue> [payload]"))
    .description("add a job; the payload is JSON, - for stdin, or @file (default: null)")
    .option("--priority <number>", "higher runs first", integer)
    .option("--delay <duration>", "how long it waits", durationSeconds)
    .option(
      "--expires <duration>",
      "when it becomes a dead letter if nobody ran it",
      durationSeconds,
    )
    .option("--attempts <count>", "attempts before it becomes a dead letter", positive)
    .option("--unique <key>", "only if no job of this key waits or runs")
    .action(shell.action<EnqueueCommandOptions, [string, string | undefined]>(enqueue));
  withPlace(queue.command("job <queue> <id>"))
    .description("show a job and what happened to it")
    .action(shell.action<PlaceOptions, [string, string]>(job));
  withPlace(queue.command("cancel <queue> <id>"))
    .description("remove a waiting job, or abort a running one")
    .action(shell.action<PlaceOptions, [string, string]>(cancel));
}

async function enqueue(
  { data, out, io }: DataRun,
  options: EnqueueCommandOptions,
  ...[name, argument]: [string, string | undefined]
): Promise<void> {
  const payload = (await jsonArgument(argument, io.stdin)) ?? null;
  using place = openPlace(data, options);
  const entries = place.catalog?.queues ?? {};
  // payloads of queues that are known are checked
  const queue = Object.hasOwn(entries, name)
    ? openCatalogQueue({ db: place.db, entries }, name)
    : place.db.queue(name);
  const offered = queue.offer(payload, enqueueOptions(options));
  out.result({ queue: name, ...offered }, ({ id, outcome }) => `Job ${id}: ${outcome}.`);
}

function job({ data, out }: DataRun, options: PlaceOptions, ...[name, id]: [string, string]): void {
  using use = useQueue(data, options, name);
  const { queue } = use;
  const wanted = jobId(id);
  const live = queue.get(wanted);
  const dead = live === null ? queue.dead.get(wanted) : null;
  const history = queue.history(wanted);
  if (live === null && dead === null && history.length === 0) throw noJob(name, wanted);
  out.result({ job: live, dead, history }, () =>
    [
      ...(live === null ? [] : [out.fields(readable(live))]),
      ...(dead === null ? [] : [out.fields({ state: "dead", ...readable(dead) })]),
      out.table(
        history,
        [
          { header: "attempt", value: ({ attempt }) => attempt, align: "right" },
          { header: "outcome", value: ({ outcome }) => outcome },
          { header: "ended", value: ({ endedAtMs }) => new Date(endedAtMs) },
          { header: "error", value: ({ error }) => error, shrinks: true },
        ],
        "Nothing has happened to it yet.",
      ),
    ].join("\n\n"),
  );
}

function cancel(
  { data, out }: DataRun,
  options: PlaceOptions,
  ...[name, id]: [string, string]
): void {
  using use = useQueue(data, options, name);
  const wanted = jobId(id);
  if (!use.queue.cancel(wanted)) throw noJob(name, wanted);
  out.result({ queue: name, id: wanted, cancelled: true }, () => `Job ${wanted} is cancelled.`);
}

/** Times as dates; the rows have seconds since 1970. */
function readable(job: object): object {
  const times = ["runAt", "claimExpiresAt", "createdAt", "expiresAt", "diedAt"];
  const entries = Object.entries(job).map(([name, value]) =>
    times.includes(name) && typeof value === "number"
      ? [name, new Date(value * 1_000)]
      : [name, value],
  );
  return Object.fromEntries(entries) as object;
}

function enqueueOptions(options: EnqueueCommandOptions): EnqueueOptions {
  const { priority, delay, expires, attempts, unique } = options;
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(delay === undefined ? {} : { delaySeconds: delay }),
    ...(expires === undefined ? {} : { expiresSeconds: expires }),
    ...(attempts === undefined ? {} : { maxAttempts: attempts }),
    ...(unique === undefined ? {} : { unique: { key: unique } }),
  };
}

function noJob(queue: string, id: number): HubError {
  return new HubError("NOT_FOUND", `queue "${queue}" has no job ${id} that waits or runs`, {
    details: { queue, id },
  });
}
