import { type Database, HonkerError, type SqlInput } from "@alkdev/honker";
import { bulkTable } from "@alkdev/storage/sqlite";
import type { Field } from "../postgres/copy-text.ts";
import type { BatchResult, ImportRun } from "./import-run.ts";
import { type RowCode, RowRefusal, type RowReport } from "./row-refusal.ts";
import { type RowContext, TARGETS, type TableImport } from "./table-import.ts";

/** A row on its way: where it stands in the batch, its values, what is reported of it. */
interface Moving {
  readonly row: readonly Field[];
  values: readonly SqlInput[];
  readonly changes: RowReport[];
}

/** How often the values of a row are changed before it is given up. */
const ATTEMPTS = 20;

/**
 * Writes the rows of one batch, which have one organization, into a file. Call it in the transaction of
 * the batch.
 */
export function writeRows(
  run: ImportRun,
  table: TableImport,
  { client, rows }: { readonly client: Database; readonly rows: readonly (readonly Field[])[] },
): BatchResult {
  const writer = new RowWriter(run, table, client);
  for (const made of table.before?.(client, rows[0]?.[0] ?? "") ?? []) {
    const [refused] = bulkTable(client, TARGETS[made.target]).insert([made.values]);
    if (refused !== undefined) throw refused.error;
    run.countWritten(made);
  }
  return writer.write(rows);
}

/** Reports rows that cannot go anywhere. Call it in the transaction of the batch. */
export function refuseRows(
  run: ImportRun,
  table: TableImport,
  {
    rows,
    refusal,
  }: {
    readonly rows: readonly (readonly Field[])[];
    readonly refusal: RowRefusal;
  },
): BatchResult {
  for (const row of rows) run.countRead(table.name, row);
  const reports = rows.map((row) => rejection(table, row, refusal));
  return { step: table.name, taken: 0, rejected: rows.length, reports };
}

class RowWriter {
  readonly #run: ImportRun;
  readonly #table: TableImport;
  readonly #context: RowContext;
  readonly #client: Database;
  readonly #reports: RowReport[] = [];
  #changes: RowReport[] = [];
  #row: readonly Field[] = [];
  #taken = 0;
  #rejected = 0;

  constructor(run: ImportRun, table: TableImport, client: Database) {
    this.#run = run;
    this.#table = table;
    this.#client = client;
    this.#context = {
      client,
      notes: run.notes,
      organizations: run.organizations,
      changed: (code, message) =>
        this.#changes.push({ ...subject(table, this.#row), taken: true, code, message }),
    };
  }

  write(rows: readonly (readonly Field[])[]): BatchResult {
    const moving: Moving[] = [];
    for (const row of rows) {
      this.#run.countRead(this.#table.name, row);
      this.#begin(row, []);
      try {
        const values = this.#table.map(row, this.#context);
        if (values === null) this.#taken += 1;
        else if (this.#table.writeOne === undefined) {
          moving.push({ row, values, changes: this.#changes });
        } else this.#writeOne(this.#table.writeOne, row, values);
      } catch (error) {
        this.#reject(row, error);
      }
    }
    this.#writeMany(moving);
    const { name: step } = this.#table;
    return { step, taken: this.#taken, rejected: this.#rejected, reports: this.#reports };
  }

  #begin(row: readonly Field[], changes: RowReport[]): void {
    this.#row = row;
    this.#changes = changes;
  }

  #writeOne(
    writeOne: NonNullable<TableImport["writeOne"]>,
    row: readonly Field[],
    values: readonly SqlInput[],
  ): void {
    const written = writeOne.call(this.#table, row, values, this.#context);
    for (const made of written) {
      // a second look at a table is a checksum of its own
      const second = this.#table.counted === undefined;
      this.#run.countWritten(made, second ? this.#table.name : made.target);
    }
    this.#accept(this.#changes);
  }

  #writeMany(moving: readonly Moving[]): void {
    let waiting = moving;
    const { target } = this.#table;
    const bulk = bulkTable(this.#client, TARGETS[target]);
    for (let attempt = 0; waiting.length > 0; attempt++) {
      const refused = bulk.insert(waiting.map(({ values }) => values));
      const again: Moving[] = [];
      const isRefused = new Map(refused.map(({ index, error }) => [index, error]));
      waiting.forEach((item, index) => {
        const error = isRefused.get(index);
        if (error === undefined) {
          this.#run.countWritten({ target, values: item.values });
          this.#accept(item.changes);
          return;
        }
        this.#begin(item.row, item.changes);
        const other =
          attempt < ATTEMPTS
            ? this.#table.amend?.(item.values, constraintOf(error), this.#context)
            : undefined;
        if (other === undefined) this.#reject(item.row, error);
        else again.push({ ...item, values: other });
      });
      waiting = again;
    }
  }

  #accept(changes: readonly RowReport[]): void {
    this.#taken += 1;
    this.#reports.push(...changes);
  }

  #reject(row: readonly Field[], error: unknown): void {
    this.#rejected += 1;
    this.#reports.push(rejection(this.#table, row, refusalOf(error)));
  }
}

/** What a constraint said, as a refusal; anything else ends the import. */
export function refusalOf(error: unknown): RowRefusal {
  if (error instanceof RowRefusal) return error;
  if (!(error instanceof HonkerError) || error.code !== "CONSTRAINT") throw error;
  const message = constraintOf(error);
  return new RowRefusal(codeOf(message), message);
}

/** What SQLite says of the constraint, without the file and the statement. */
function constraintOf(error: HonkerError): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function codeOf(message: string): RowCode {
  if (message.includes("FOREIGN KEY")) return "REFERENCE_NOT_FOUND";
  return /_json\b/.test(message) ? "JSON_TOO_DEEP" : "CONSTRAINT";
}

function rejection(table: TableImport, row: readonly Field[], refusal: RowRefusal): RowReport {
  const { code, message } = refusal;
  const named = table.query.fields.map((field, index) => [field, row[index] ?? null] as const);
  return {
    ...subject(table, row),
    taken: false,
    code,
    message,
    row: Object.fromEntries(named),
  };
}

function subject(
  table: TableImport,
  row: readonly Field[],
): Pick<RowReport, "table" | "id" | "org"> {
  return { table: table.query.table, id: row[1] ?? null, org: row[0] || null };
}
