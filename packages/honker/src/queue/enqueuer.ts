import type { SqlInput } from "../sqlite/connection.ts";
import { type NewJob, newJob, STORED_COLUMNS, storedValues } from "./new-job.ts";
import type { QueueContext } from "./queue-context.ts";
import type { EnqueueOptions } from "./queue-options.ts";
import { UniqueJobs } from "./unique-jobs.ts";

/** What `offer` did: made a new job, or kept, replaced or postponed the one that holds the unique key. */
export type EnqueueOutcome = "created" | "kept" | "replaced" | "postponed";

/** The job that a payload ended up in. */
export interface OfferedJob {
  readonly id: number;
  readonly outcome: EnqueueOutcome;
}

/** Rows per statement of a batch: measured twice as fast as one by one at 100. */
const ROWS_PER_INSERT = 100;
const COLUMNS = `(queue, created_at, ${STORED_COLUMNS}, payload)`;
/** ?1 to ?10 are shared by all rows of a statement; ?11 and on are the payloads. */
const SHARED = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10";

const INSERT = insertSql(1);
const INSERT_MANY = insertSql(ROWS_PER_INSERT);

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
    for (let start = 0; start < texts.length; start += ROWS_PER_INSERT) {
      const chunk = texts.slice(start, start + ROWS_PER_INSERT);
      const sql = chunk.length === ROWS_PER_INSERT ? INSERT_MANY : insertSql(chunk.length);
      // AUTOINCREMENT gives the rows of one statement consecutive ids
      const last = this.#run(sql, job, chunk);
      for (let id = last - chunk.length + 1; id <= last; id++) ids.push(id);
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
