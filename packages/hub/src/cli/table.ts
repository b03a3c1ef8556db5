/** One column of a table on a terminal. */
export interface Column<Row> {
  readonly header: string;
  readonly value: (row: Row) => unknown;
  /** Default left. */
  readonly align?: "left" | "right";
  /** May be cut when the terminal is too narrow; others never are. */
  readonly shrinks?: true;
}

/** Columns narrower than this are not cut further. */
const NARROWEST = 8;
const GAP = "  ";

/** Rows as lines of aligned columns, cut to `width` characters where columns allow it. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number = Number.POSITIVE_INFINITY,
): string {
  const cells = rows.map((row) => columns.map(({ value }) => cell(value(row))));
  const widths = fitted(
    columns.map(({ header }, at) =>
      Math.max(header.length, ...cells.map((line) => lengthOf(line[at] ?? ""))),
    ),
    columns,
    width,
  );
  const lines = [columns.map(({ header }) => header.toUpperCase()), ...cells];
  return lines.map((line) => lineOf(line, columns, widths)).join("\n");
}

/** A value as one line: dates in ISO, nothing as `-`, and nothing that could steer a terminal. */
export function cell(value: unknown): string {
  if (value === null || value === undefined || value === "") return "-";
  if (value instanceof Date) return value.toISOString().replace(".000Z", "Z");
  if (Array.isArray(value)) return value.length === 0 ? "-" : value.map(cell).join(",");
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return harmless(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}

/** Text without control characters but line feeds and tabs: data can hold escape sequences. */
export function harmless(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function fitted<Row>(
  widths: readonly number[],
  columns: readonly Column<Row>[],
  width: number,
): number[] {
  const fit = [...widths];
  const total = (): number => fit.reduce((sum, one) => sum + one, GAP.length * (fit.length - 1));
  for (;;) {
    const over = total() - width;
    if (over <= 0) return fit;
    const shrinking = fit.map((one, at) => (columns[at]?.shrinks === true ? one : 0));
    const widest = shrinking.indexOf(Math.max(...shrinking));
    const next = shrinking.filter((_, at) => at !== widest);
    const current = shrinking[widest] ?? 0;
    if (current <= NARROWEST) return fit;
    fit[widest] = Math.max(NARROWEST, current - over, Math.min(current - 1, Math.max(...next, 0)));
  }
}

function lineOf<Row>(
  line: readonly string[],
  columns: readonly Column<Row>[],
  widths: readonly number[],
): string {
  return line
    .map((text, at) => {
      const width = widths[at] ?? 0;
      const length = lengthOf(text);
      if (length > width) return `${[...text].slice(0, width - 1).join("")}…`;
      const space = " ".repeat(width - length);
      return columns[at]?.align === "right" ? space + text : text + space;
    })
    .join(GAP)
    .trimEnd();
}

function lengthOf(text: string): number {
  return [...text].length;
}
