import { StorageError } from "../../errors.ts";
import { kindOf } from "./check-row.ts";
import { findNonJson, isPlain } from "./json-value.ts";

/** A merge patch must be a JSON object. @throws StorageError `INVALID_ARGUMENT` */
export function requirePatch(patch: unknown): void {
  if (!isPlain(patch)) {
    throw new StorageError("INVALID_ARGUMENT", `the patch is ${kindOf(patch)}, not an object`);
  }
  const problem = findNonJson(patch);
  if (problem === null) return;
  const { path, message } = problem;
  throw new StorageError("INVALID_ARGUMENT", `the patch cannot be applied: ${path} ${message}`);
}
