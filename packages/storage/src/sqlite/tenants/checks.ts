import { StorageError } from "../../errors.ts";

/** @throws {@link StorageError} `INVALID_ARGUMENT` unless `value` is a whole number from `min` */
export function requireWhole(value: unknown, name: string, min: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= min) return;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `${name} must be a whole number from ${min}, got ${String(value)}`,
  );
}

/** @throws {@link StorageError} `INVALID_ARGUMENT` unless `value` is a path */
export function requirePath(value: unknown, what: string): asserts value is string {
  if (typeof value === "string" && value.trim() !== "" && !value.includes("\0")) return;
  throw new StorageError("INVALID_ARGUMENT", `${what} must be given as a path`);
}
