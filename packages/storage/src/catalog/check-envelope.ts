import type { EventEnvelope } from "@alkdev/pubsub";
import { StorageError } from "../errors.ts";
import type { CatalogEntries } from "./catalog.ts";
import { type PayloadSchema, payloadSchema } from "./payload-schema.ts";

/**
 * Makes the `validate` option of `createPubSub` from catalog entries: it refuses event types that are
 * not listed and payloads that do not fit, when publishing and when consuming.
 *
 * @example
 * ```ts
 * const pubsub = createPubSub<EventsOf<typeof tenantCatalog.channels>>({
 *   eventTarget,
 *   validate: envelopeCheck(tenantCatalog.channels),
 * });
 * ```
 */
export function envelopeCheck(entries: CatalogEntries): (envelope: EventEnvelope) => void {
  const schemas = new Map<string, PayloadSchema<unknown>>(
    Object.entries(entries).map(([name, entry]) => [name, payloadSchema(entry.payload)]),
  );
  return ({ type, payload }) => {
    const schema = schemas.get(type);
    if (schema === undefined) {
      throw new StorageError("UNKNOWN_EVENT", `"${type}" is not in the catalog`, {
        hint: `Known are ${[...schemas.keys()].join(", ")}`,
      });
    }
    const { issues } = schema["~standard"].validate(payload);
    if (issues === undefined) return;
    const [first] = issues;
    const at = first === undefined || first.path.length === 0 ? "" : ` at ${first.path.join(".")}`;
    throw new StorageError("INVALID_PAYLOAD", `payload of "${type}"${at}: ${first?.message}`, {
      details: { issues },
    });
  };
}
