/** SQL whose parameters are all plain `?`, as better-sqlite3 binds arrays. */
export interface PositionalSql {
  readonly sql: string;
  /** Index of the caller's value for each `?`; absent where values go in as they are. */
  readonly order?: readonly number[];
  /** How many values the caller must give, where `order` is there. */
  readonly count: number;
}

/** Literals, quoted names and comments are passed over; a parameter is what is left. */
const TOKEN =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|\?(\d*)/g;

/**
 * Rewrites numbered parameters: `?1 … ?1` becomes `? … ?` with the order `[0, 0]`. better-sqlite3 takes
 * `?1` for a parameter named "1" and refuses an array. A plain `?` beside them counts on from the
 * largest number so far (https://www.sqlite.org/lang_expr.html#varparam).
 */
export function positional(sql: string): PositionalSql {
  if (!/\?\d/.test(sql)) return { sql, count: 0 };
  const order: number[] = [];
  let largest = 0;
  const rewritten = sql.replace(TOKEN, (token: string, digits: string | undefined) => {
    if (digits === undefined) return token;
    const number = digits === "" ? largest + 1 : Number(digits);
    largest = Math.max(largest, number);
    order.push(number - 1);
    return "?";
  });
  const plain = order.every((index, place) => index === place);
  return plain ? { sql: rewritten, count: largest } : { sql: rewritten, order, count: largest };
}
