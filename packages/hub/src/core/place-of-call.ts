import type { OperationContext } from "@alkdev/operations";
import type { CallJournal } from "@alkdev/storage/sqlite";
import { HubError } from "../errors.ts";

/** What every place of a call has, whatever the realm. */
export interface JournaledPlace {
  readonly services: { readonly journal: CallJournal };
  /** Set once the call's handler was reached: then the handler's wrapper writes the call down. */
  reached: boolean;
}

/** No text that comes from outside can be this name. */
const PLACE: unique symbol = Symbol("place of a call");

/** The metadata of a call with its place. */
export function metadataWith(
  metadata: Readonly<Record<string, unknown>> | undefined,
  place: JournaledPlace,
): Readonly<Record<string, unknown>> {
  return { ...metadata, [PLACE]: place } as Readonly<Record<string, unknown>>;
}

/** The place in a call's metadata. @throws HubError `INVALID_ARGUMENT` for calls that no hub made */
export function placeIn<Place extends JournaledPlace>(context: OperationContext): Place {
  const { metadata, operationId } = context;
  const place = (metadata as { readonly [PLACE]?: Place })[PLACE];
  if (place !== undefined) return place;
  throw new HubError("INVALID_ARGUMENT", `"${operationId}" was not called through a hub`);
}

/** The journal of the file a call runs in. Whoever asks writes the call down from now on. */
export function journalOf(context: OperationContext): CallJournal {
  const place = placeIn(context);
  place.reached = true;
  return place.services.journal;
}
