import type { Stream } from "@alkdev/honker";
import { HubError } from "../../errors.ts";
import type { DataFolder } from "../data-folder.ts";
import { openPlace, type Place, type PlaceOptions } from "./place.ts";

/** A stream of a file, open until it is disposed of. */
export interface StreamInUse extends Disposable {
  readonly place: Place;
  readonly stream: Stream;
}

/**
 * A stream that is there: in the catalog, or with events or consumers.
 *
 * @throws HubError `NOT_FOUND`, and as `openPlace`
 */
export function useStream(data: DataFolder, options: PlaceOptions, name: string): StreamInUse {
  const place = openPlace(data, options);
  try {
    const catalog = Object.keys(place.catalog?.streams ?? {});
    if (!catalog.includes(name)) requireUsed(place, name, catalog);
    const stream = place.db.stream(name);
    return { place, stream, [Symbol.dispose]: () => place[Symbol.dispose]() };
  } catch (error) {
    place[Symbol.dispose]();
    throw error;
  }
}

function requireUsed({ db, name: file }: Place, name: string, catalog: readonly string[]): void {
  const used = db.streams();
  if (used.includes(name)) return;
  const known = [...new Set([...catalog, ...used])].sort();
  throw new HubError("NOT_FOUND", `${file} has no stream "${name}"`, {
    ...(known.length === 0 ? {} : { hint: `Known are ${known.join(", ")}` }),
    details: { stream: name, known },
  });
}
