import type { NotNullTables, SelectedField } from "./drizzle-internals.ts";
import { compileRows } from "./row-compiler.ts";
import { type Decode, planRows, type RawRow, type RowPlan, type RowShape } from "./row-plan.ts";

/** Rows after which generating code has paid for itself: about 70 µs against 0.1 µs a row. */
const COMPILE_AFTER_ROWS = 256;

/**
 * Turns positional rows into the objects a query asked for. Short results are built by walking the
 * plan; a query that has returned many rows gets a function generated for it, 5 times as fast
 * (see docs/architecture/drizzle-driver.md for the figures and for what goes into the code).
 */
export class RowMapper {
  readonly exactIntegers: boolean;
  readonly #plan: RowPlan;
  #compiled: ((rows: readonly RawRow[]) => unknown[]) | undefined;
  #seen = 0;

  constructor(fields: readonly SelectedField[], notNull: NotNullTables | undefined) {
    this.#plan = planRows(fields, notNull);
    this.exactIntegers = this.#plan.exactIntegers;
  }

  row(row: RawRow): unknown {
    return build(this.#plan.shape, this.#plan.decoders, row);
  }

  rows(rows: readonly RawRow[]): unknown[] {
    if (this.#compiled !== undefined) return this.#compiled(rows);
    this.#seen += rows.length;
    if (this.#seen >= COMPILE_AFTER_ROWS) {
      this.#compiled = compileRows(this.#plan) ?? ((many) => this.#walk(many));
      return this.#compiled(rows);
    }
    return this.#walk(rows);
  }

  #walk(rows: readonly RawRow[]): unknown[] {
    const { shape, decoders } = this.#plan;
    return rows.map((row) => build(shape, decoders, row));
  }
}

function build(shape: RowShape, decoders: readonly Decode[], row: RawRow): unknown {
  const object: Record<string, unknown> = {};
  for (const [key, source] of shape) {
    if (typeof source === "number") {
      const value = row[source];
      const decode = decoders[source];
      set(object, key, value === null || decode === undefined ? value : decode(value));
    } else {
      const { nullWhen } = source;
      const missing = nullWhen?.every((index) => row[index] === null) === true;
      set(object, key, missing ? null : build(source.shape, decoders, row));
    }
  }
  return object;
}

function set(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") {
    object[key] = value;
    return;
  }
  Object.defineProperty(object, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}
