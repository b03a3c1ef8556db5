import { HonkerError } from "../errors.ts";

/**
 * Text of a payload. Only what JSON gives back unchanged is accepted; a `toJSON` method (Date, URL)
 * decides for its value, and properties whose value is `undefined` are left out, as in JSON.stringify.
 *
 * @throws {@link HonkerError} `INVALID_PAYLOAD`, with the path of the offending value: bigint, NaN,
 * Infinity, a cycle, a function, a symbol, a Map, a Set, a typed array, or `undefined` as the payload
 * or in an array.
 */
export function encodePayload(payload: unknown, what: string): string {
  const problem = findNonJson(payload, [], new Set());
  if (problem !== undefined) throw refusal(problem, what);
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (error) {
    throw new HonkerError("INVALID_PAYLOAD", `${what} cannot be written as JSON`, { cause: error });
  }
  if (text === undefined) throw refusal({ path: [], kind: "undefined" }, what);
  return text;
}

/** Value of a stored payload. Text that is not JSON (written by raw SQL) is returned as it is. */
export function decodePayload(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

interface Problem {
  readonly path: readonly (string | number)[];
  readonly kind: string;
}

function findNonJson(
  value: unknown,
  path: (string | number)[],
  ancestors: Set<object>,
): Problem | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : { path: [...path], kind: String(value) };
    case "object":
      if (value === null) return undefined;
      return findInObject(value, path, ancestors);
    default:
      return {
        path: [...path],
        kind: typeof value === "undefined" ? "undefined" : `a ${typeof value}`,
      };
  }
}

function findInObject(
  value: object,
  path: (string | number)[],
  ancestors: Set<object>,
): Problem | undefined {
  if (ancestors.has(value)) return { path: [...path], kind: "a cycle" };
  if (typeof (value as { toJSON?: unknown }).toJSON === "function" && !ArrayBuffer.isView(value)) {
    return undefined;
  }
  if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)) {
    return { path: [...path], kind: `a ${value.constructor.name}` };
  }
  ancestors.add(value);
  let problem: Problem | undefined;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && problem === undefined; i++) {
      path.push(i);
      problem = findNonJson(value[i], path, ancestors);
      path.pop();
    }
  } else {
    for (const key in value) {
      const member = (value as Record<string, unknown>)[key];
      if (member === undefined) continue;
      path.push(key);
      problem = findNonJson(member, path, ancestors);
      path.pop();
      if (problem !== undefined) break;
    }
  }
  ancestors.delete(value);
  return problem;
}

function refusal({ path, kind }: Problem, what: string): HonkerError {
  const at = path.length === 0 ? what : `${what} at ${pathText(path)}`;
  return new HonkerError("INVALID_PAYLOAD", `${at} is ${kind}, which JSON cannot hold`, {
    hint: "Convert it first: String(bigint), null, Object.fromEntries(map), buffer.toString('base64')",
    details: { path: pathText(path), kind },
  });
}

function pathText(path: readonly (string | number)[]): string {
  return path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
}
