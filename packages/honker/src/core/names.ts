import { HonkerError } from "../errors.ts";

/** Checks the name of a channel, stream, queue, lock or schedule. @throws `INVALID_ARGUMENT` */
export function requireName(name: unknown, what: string): asserts name is string {
  if (typeof name === "string" && name.length > 0) return;
  throw new HonkerError(
    "INVALID_ARGUMENT",
    `${what} must be a non-empty string, got ${name === "" ? '""' : typeof name}`,
    { details: { name } },
  );
}

/** Checks a count, limit or duration. @throws `INVALID_ARGUMENT` */
export function requireNumber(
  value: unknown,
  what: string,
  range: { readonly min: number; readonly max?: number; readonly integer?: boolean },
): asserts value is number {
  const { min, max = Number.MAX_SAFE_INTEGER, integer = false } = range;
  const fits =
    typeof value === "number" &&
    value >= min &&
    value <= max &&
    (!integer || Number.isInteger(value));
  if (fits) return;
  const kind = integer ? "a whole number" : "a number";
  throw new HonkerError(
    "INVALID_ARGUMENT",
    `${what} must be ${kind} from ${min} to ${max}, got ${String(value)}`,
    { details: { value: typeof value === "bigint" ? String(value) : value, min, max } },
  );
}
