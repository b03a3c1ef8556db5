import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  type BullMqReport,
  type ImportReport,
  importBullMq,
  importPostgres,
  importRedisStream,
  type RedisStreamReport,
  type TransferProgress,
} from "@alkdev/transfer";
import type { ProgressLine } from "../package-graph/progress.ts";
import { queueName, type Source, streamKey } from "./source.ts";

/** What came over. */
export interface Imported {
  readonly postgres: ImportReport;
  readonly stream: RedisStreamReport;
  readonly jobs: BullMqReport;
}

/** Imports everything into the data folder of a hub; streams and jobs of the old hub into `system.db`. */
export async function importAll(
  source: Source,
  options: {
    readonly folder: string;
    readonly progress: ProgressLine;
    readonly signal: AbortSignal;
  },
): Promise<Imported> {
  const { folder, progress, signal } = options;
  const systemPath = join(folder, "system.db");
  const onProgress = ({ phase, item, done, total }: TransferProgress): void =>
    progress.update({ phase: `${phase} ${item}`, done, total: total ?? done });
  const common = { onProgress, signal };
  const postgres = await importPostgres({
    ...common,
    url: source.postgresUrl,
    schema: source.name,
    out: { systemPath, tenantsFolder: join(folder, "tenants") },
    lockSeconds: 5, // one that was killed is soon forgotten
  });
  using db = open(systemPath);
  const stream = await importRedisStream({
    ...common,
    url: source.redisUrl,
    key: streamKey(source),
    db,
    stream: "old-events",
    decode: ({ fields }) => ({
      payload: JSON.parse(Object.fromEntries(fields)["detail"] ?? "null"),
    }),
  });
  const jobs = await importBullMq({
    ...common,
    url: source.redisUrl,
    queue: queueName(source),
    db,
    into: "mails",
    payload: ({ data }) => data,
  });
  return { postgres, stream, jobs };
}
