const PARAMETER = /(=|<|>) (\?\d*)/g;

const known = new Map<string, string>();

/**
 * The statement with `+?` for each parameter that is compared with a column. SQLite plans a statement
 * with the value of a bare `?` in mind and prepares it again whenever another value is bound, which costs
 * more than most statements of the engine take (ADR-061). For the engine's own SQL only: in that of users
 * it could hit the text of a literal.
 */
export function steadyPlan(sql: string): string {
  let steady = known.get(sql);
  if (steady === undefined) {
    steady = sql.replace(PARAMETER, "$1 +$2");
    known.set(sql, steady);
  }
  return steady;
}
