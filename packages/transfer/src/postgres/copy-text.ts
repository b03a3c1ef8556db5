/** A value as PostgreSQL writes it; null where there is none. */
export type Field = string | null;

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/**
 * The fields of one line in the text format of COPY, see
 * https://www.postgresql.org/docs/current/sql-copy.html.
 */
export function copyFields(line: string): Field[] {
  const fields: Field[] = line.split("\t");
  if (!line.includes("\\")) return fields;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as string;
    if (field === "\\N") fields[i] = null;
    else if (field.includes("\\")) fields[i] = unescaped(field);
  }
  return fields;
}

function unescaped(field: string): string {
  return field.replaceAll(/\\(.)/gs, (_, character: string) => ESCAPES[character] ?? character);
}
