import { OperationsError } from "../errors.ts";

/** Ids become parts of topics, and of keys in logs. */
export const LONGEST_ID = 256;

/** Whether a value can be an id of a call, an operation or a route. */
export function isId(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= LONGEST_ID;
}

/** @throws OperationsError `INVALID_ARGUMENT` */
export function requireId(value: unknown, name: string): void {
  if (isId(value)) return;
  throw new OperationsError(
    "INVALID_ARGUMENT",
    `${name} is ${JSON.stringify(value) ?? String(value)}; it must be a text of 1 to ${LONGEST_ID} characters`,
    { details: { [name]: value } },
  );
}

/** @throws OperationsError `INVALID_ARGUMENT` */
export function requireWhole(value: unknown, name: string, min: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= min) return;
  throw new OperationsError(
    "INVALID_ARGUMENT",
    `${name} is ${String(value)}; it must be a whole number of at least ${min}`,
    { details: { [name]: value, min } },
  );
}
