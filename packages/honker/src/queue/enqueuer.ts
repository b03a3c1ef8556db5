import type { SqlInput } from "../sqlite/connection.ts";
import { type NewJob, newJob, STORED_COLUMNS, storedValues } from "./new-job.ts";
import type { OfferedJob } from "./offered-job.ts";
import type { QueueContext } from "./queue-context.ts";
import type { EnqueueOptions } from "./queue-options.ts";
import { UniqueJobs } from "./unique-jobs.ts";

/** Rows per statement of a batch: measured twice as fast as one by one at 100. */
const ROWS_PER_INSERT = 100;
const COLUMNS = `(queue, created_at, ${STORED_COLUMNS}, payload)`;
/** ?1 to ?10 are shared by all rows of a statement; ?11 and on are the payloads. */
const SHARED = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10";

/** Three sizes, so that batches of any length share three prepared statements. */
const INSERTS = [ROWS_PER_INSERT, 10, 1].map((rows) => ({ rows, sql: insertSql(rows) }));
const INSERT = insertSql(1);

/** Writes jobs of one queue. */
export class Enqueuer {
  readonly #context: QueueContext;
  readonly #unique: UniqueJobs;

  constructor(context: QueueContext) {
    this.#context = context;
    this.#unique = new UniqueJobs(context);
  }

  enqueue(text: string, options: EnqueueOptions): OfferedJob {
    const { core, settings, topic } = this.#context;
    const job = newJob(options, settings, core.nowMs());
    const offered =
      job.unique === undefined
        ? ({ id: this.#insert(job, text), outcome: "created" } as const)
        : core.transaction(() => this.#unique.offer(job, text, () => this.#insert(job, text)));
    core.touch(topic);
    return offered;
  }

  /** Writes jobs of equal options in one transaction. Returns their ids in order. */
  enqueueMany(texts: readonly string[], options: EnqueueOptions): number[] {
    const { core, settings, topic } = this.#context;
    const job = newJob(options, settings, core.nowMs());
    if (texts.length === 0) return [];
    return core.transaction(() => {
      core.touch(topic);
      if (job.unique === undefined) return this.#insertAll(job, texts);
      return texts.map((text) => this.#unique.offer(job, text, () => this.#insert(job, text)).id);
    });
  }

  #insert(job: NewJob, text: string): number {
    return this.#run(INSERT, job, [text]);
  }

  #insertAll(job: NewJob, texts: readonly string[]): number[] {
    const ids: number[] = [];
    let start = 0;
    for (const { rows, sql } of INSERTS) {
      for (; texts.length - start >= rows; start += rows) {
        // AUTOINCREMENT gives the rows of one statement consecutive ids
        const last = this.#run(sql, job, texts.slice(start, start + rows));
        for (let id = last - rows + 1; id <= last; id++) ids.push(id);
      }
    }
    return ids;
  }

  #run(sql: string, job: NewJob, texts: readonly string[]): number {
    const { core, name } = this.#context;
    const shared: SqlInput[] = [name, job.createdAt, ...storedValues(job)];
    return Number(core.prepare(sql).run([...shared, ...texts]).lastInsertRowid);
  }
}

function insertSql(rows: number): string {
  const places = Array.from({ length: rows }, (_, i) => `(${SHARED}, ?${11 + i})`);
  return `INSERT INTO _honker_live ${COLUMNS} VALUES ${places.join(", ")}`;
}
