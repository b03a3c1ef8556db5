import { describeError } from "./describe-error.ts";
import type { Io } from "./io.ts";
import { type Column, cell, harmless, table } from "./table.ts";

/** What {@link Output} is told at the start. */
export interface OutputOptions {
  readonly json: boolean;
  readonly io: Pick<Io, "stdout" | "stderr">;
}

/** What a command says: a result on stdout, for people or as JSON, and notes on stderr. */
export class Output {
  readonly json: boolean;
  readonly #io: OutputOptions["io"];

  constructor({ json, io }: OutputOptions) {
    this.json = json;
    this.#io = io;
  }

  /** The result of a command: one JSON document, or the text of `text`. */
  result<T>(value: T, text: (value: T) => string): void {
    const written = this.json ? JSON.stringify(value, null, 2) : harmless(text(value));
    if (written !== "") this.#io.stdout.write(`${written}\n`);
  }

  /** One of many results: a line of JSON, or the text of `text`. */
  line<T>(value: T, text: (value: T) => string): void {
    this.#io.stdout.write(`${this.json ? JSON.stringify(value) : harmless(text(value))}\n`);
  }

  /** Rows as a table that fits the terminal; `empty` where there are none. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], empty: string): string {
    return rows.length === 0 ? empty : table(rows, columns, widthOf(this.#io.stdout));
  }

  /** Names and values, one a line. */
  fields(fields: object): string {
    const longest = Math.max(...Object.keys(fields).map((name) => name.length));
    return Object.entries(fields)
      .map(([name, value]) => `${name.padEnd(longest)}  ${cell(value)}`)
      .join("\n");
  }

  /** Something for a person beside the result; not said with `--json`. */
  note(text: string): void {
    if (!this.json) this.#io.stderr.write(`${harmless(text)}\n`);
  }

  /** Something that failed and did not end the command. */
  warn(error: unknown, context: string): void {
    const { code, message } = describeError(error);
    const text = this.json
      ? JSON.stringify({ warning: { code, message, context } })
      : harmless(`alkdev: ${context}: ${message}`);
    this.#io.stderr.write(`${text}\n`);
  }
}

/** Characters of a line: what the terminal says, else `COLUMNS`, else no limit, for `grep` and files. */
function widthOf({ columns = 0 }: Io["stdout"]): number {
  if (columns > 0) return columns;
  const told = Number(process.env["COLUMNS"]);
  return Number.isInteger(told) && told >= 20 ? told : Number.POSITIVE_INFINITY;
}
