import { StorageError } from "../../errors.ts";

/** Also the grammar of a part of a file name that is safe on every file system. */
const GRAMMAR = /^[A-Za-z0-9_-]{1,64}$/;
/** Names that Windows keeps for devices, whatever is put around them in a path. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * Refuses an id that cannot be part of a file name.
 *
 * @throws {@link StorageError} `INVALID_ARGUMENT`
 */
export function requireOrgId(orgId: unknown): asserts orgId is string {
  if (typeof orgId === "string" && GRAMMAR.test(orgId) && !DEVICE.test(orgId)) return;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `the id of an organisation with a tenant must be 1 to 64 letters, digits, "_" and "-", got ${describe(orgId)}`,
    { hint: "It becomes part of a file name, so nothing else is let through" },
  );
}

function describe(value: unknown): string {
  if (typeof value !== "string") return value === null ? "null" : typeof value;
  const shown = JSON.stringify(value.slice(0, 80));
  return value.length > 80 ? `${shown} and ${value.length - 80} characters more` : shown;
}
