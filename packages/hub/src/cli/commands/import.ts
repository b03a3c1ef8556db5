import { join } from "node:path";
import type { Command } from "commander";
import { textArgument } from "../arguments/text-argument.ts";
import { collect, positive } from "../arguments/whole.ts";
import { SYSTEM_FILE } from "../data-folder.ts";
import { EXIT } from "../exit-codes.ts";
import { openPlace, type PlaceOptions, withPlace } from "../places/place.ts";
import type { DataRun, DefineCommand } from "../shell.ts";
import { loadTransfer, transferOptions } from "../transfer.ts";

interface PostgresOptions {
  readonly schema: string;
  readonly dryRun?: boolean;
  readonly unownedTo?: string;
  readonly table?: readonly string[];
  readonly batchSize?: number;
  readonly rows?: string;
}

interface RedisOptions extends PlaceOptions {
  readonly stream?: string;
}

interface BullMqOptions extends PlaceOptions {
  readonly prefix: string;
  readonly into?: string;
  readonly takeActive?: boolean;
}

/** `alkdev import` */
export const defineImport: DefineCommand = (command, shell) => {
  withUrl(command.command("postgres <url>"))
    .description(
      "make a data folder (--data) from the database of a hub on PostgreSQL. Stopped or killed, run it again to go on",
    )
    .option("--schema <name>", "schema of its tables", "public")
    .option("--dry-run", "read and check everything, and leave nothing behind")
    .option("--unowned-to <org>", "id of the organisation that gets what belongs to nobody")
    .option("--table <name>", "also take this table, as nodes; repeatable", collect)
    .option("--batch-size <rows>", "rows per commit", positive)
    .option("--rows <file>", "where to write the report of rows that were not taken or changed")
    .action(shell.action<PostgresOptions, [string]>(postgres));
  withPlace(withUrl(command.command("redis <url> <key>")))
    .description("bring a Redis Stream into a stream, in its order; run it again for what is new")
    .option("--stream <name>", "name of the stream here (default: the key)")
    .action(shell.action<RedisOptions, [string, string]>(redis));
  withPlace(withUrl(command.command("bullmq <url> <queue>")))
    .description("bring the jobs of a queue of BullMQ into a queue; stop its workers first")
    .option("--prefix <prefix>", "prefix of its keys", "bull")
    .option("--into <queue>", "name of the queue here (default: the same)")
    .option("--take-active", "also jobs that workers have in hand: only if those are gone for good")
    .action(shell.action<BullMqOptions, [string, string]>(bullmq));
};

async function postgres(run: DataRun, options: PostgresOptions, url: string): Promise<void> {
  const { data, io, out, progress } = run;
  const { schema, dryRun, unownedTo, table: tables, batchSize, rows: rowsPath } = options;
  const { importPostgres } = await loadTransfer();
  const report = await importPostgres({
    ...transferOptions(run),
    url: (await textArgument(url, io.stdin)).trim(),
    schema,
    out: { systemPath: join(data.path, SYSTEM_FILE), tenantsFolder: data.tenantsFolder },
    dryRun: dryRun === true,
    ...(unownedTo === undefined ? {} : { unownedTo }),
    ...(tables === undefined ? {} : { tables }),
    ...(batchSize === undefined ? {} : { batchSize }),
    ...(rowsPath === undefined ? {} : { rowsPath }),
  });
  progress.clear();
  if (!report.ok) run.exitWith(EXIT.trouble);
  out.result(report, ({ ok, rows, organizations, tenants, source_tables: read, advice }) =>
    [
      out.table(
        read,
        [
          { header: "table", value: ({ table }) => table },
          { header: "read", value: (one) => one.read, align: "right" },
          { header: "taken", value: ({ taken }) => taken, align: "right" },
          { header: "rejected", value: ({ rejected }) => rejected, align: "right" },
          { header: "state", value: ({ verified }) => (verified ? "verified" : "NOT VERIFIED") },
        ],
        "There was nothing to read.",
      ),
      "",
      out.fields({
        verified: ok,
        ...rows,
        organizations,
        tenants,
        "report of rows": report.rowsPath,
      }),
      ...advice,
    ].join("\n"),
  );
}

async function redis(run: DataRun, options: RedisOptions, ...[url, key]: [string, string]) {
  const { data, io, out, progress } = run;
  const { stream } = options;
  const { importRedisStream } = await loadTransfer();
  using place = openPlace(data, options);
  const report = await importRedisStream({
    ...transferOptions(run),
    url: (await textArgument(url, io.stdin)).trim(),
    key,
    db: place.db,
    ...(stream === undefined ? {} : { stream }),
  });
  progress.clear();
  out.result(report, ({ source: _, groups, ...counts }) =>
    out.fields({ ...counts, groups: groups.length }),
  );
}

async function bullmq(run: DataRun, options: BullMqOptions, ...[url, queue]: [string, string]) {
  const { data, io, out, progress } = run;
  const { prefix, into, takeActive } = options;
  const { importBullMq } = await loadTransfer();
  using place = openPlace(data, options);
  const report = await importBullMq({
    ...transferOptions(run),
    url: (await textArgument(url, io.stdin)).trim(),
    queue,
    prefix,
    db: place.db,
    takeActive: takeActive === true,
    ...(into === undefined ? {} : { into }),
  });
  progress.clear();
  out.result(report, ({ queue: name, taken, known, left, schedules, completed }) =>
    [
      out.fields({ queue: name, ...taken, known, left: left.length, completed }),
      ...left.map(({ id, state, reason }) => `Left: job ${id} (${state}): ${reason}`),
      ...schedules.map(({ name: schedule, pattern }) => `Add by hand: ${schedule} ${pattern}`),
    ].join("\n"),
  );
}

/** Addresses hold passwords, and arguments can be seen by others. */
function withUrl(command: Command): Command {
  return command.addHelpText("after", "\nThe address can also be @file, or - for stdin.");
}
