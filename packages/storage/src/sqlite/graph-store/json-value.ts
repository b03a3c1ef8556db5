/** Something in a value that JSON would lose or change. */
export interface JsonProblem {
  /** A JSON pointer (RFC 6901). */
  readonly path: string;
  readonly message: string;
}

/** Deeper values would overflow the stack of some JSON reader; SQLite's own limit is 1,000. */
const DEEPEST = 500;

/**
 * The first place where JSON would not give `value` back as it is, or null. Properties that are
 * `undefined` count as absent.
 */
export function findNonJson(value: unknown, path = "", depth = 0): JsonProblem | null {
  switch (typeof value) {
    case "string":
    case "boolean":
      return null;
    case "number":
      return Number.isFinite(value) ? null : { path, message: `${value} is not JSON` };
    case "object":
      break;
    default:
      return { path, message: `${typeof value} is not JSON` };
  }
  if (value === null) return null;
  if (depth >= DEEPEST) return { path, message: `Nested more than ${DEEPEST} levels deep` };
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const problem = findNonJson(value[i], `${path}/${i}`, depth + 1);
      if (problem !== null) return problem;
    }
    return null;
  }
  if (!isPlain(value)) return { path, message: `${className(value)} is not JSON` };
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item === undefined || typeof item === "string") continue;
    const problem = findNonJson(item, `${path}/${escapeStep(key)}`, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

/** One step of a JSON pointer. */
export function escapeStep(key: string): string {
  return key.includes("~") || key.includes("/")
    ? key.replaceAll("~", "~0").replaceAll("/", "~1")
    : key;
}

/** True for objects as JSON knows them. An own `toJSON` would make something else of it. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return typeof (value as { toJSON?: unknown }).toJSON !== "function";
}

function className(value: object): string {
  const { name } = value.constructor ?? {};
  return typeof name === "string" && name !== "" ? `A ${name}` : "An object of a class";
}

/** Whether two JSON values have the same text, properties in the same order. */
export function isSameJson(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
