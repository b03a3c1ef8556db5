import type { JsonObject } from "../tables/common.ts";
import { isPlain } from "./json-value.ts";

/**
 * A JSON object with a merge patch applied (RFC 7396): null removes a property, an object is merged into
 * the one there, anything else replaces.
 */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(target));
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) merged.delete(name);
    else if (isPlain(value)) merged.set(name, mergePatch(objectOrEmpty(merged.get(name)), value));
    else merged.set(name, value);
  }
  // makes own properties also of names such as "__proto__"
  return Object.fromEntries(merged);
}

function objectOrEmpty(value: unknown): JsonObject {
  return isPlain(value) ? value : {};
}
