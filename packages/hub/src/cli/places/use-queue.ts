import type { Queue } from "@alkdev/honker";
import { HubError } from "../../errors.ts";
import type { DataFolder } from "../data-folder.ts";
import { openPlace, type Place, type PlaceOptions } from "./place.ts";

/** A queue of a file, open until it is disposed of. */
export interface QueueInUse extends Disposable {
  readonly place: Place;
  readonly queue: Queue;
}

/**
 * A queue that is there: in the catalog, or with jobs or dead letters. A queue need not be made, so a
 * mistyped name would look like an empty one.
 *
 * @throws HubError `NOT_FOUND`, and as `openPlace`
 */
export function useQueue(data: DataFolder, options: PlaceOptions, name: string): QueueInUse {
  const place = openPlace(data, options);
  try {
    const catalog = Object.keys(place.catalog?.queues ?? {});
    if (!catalog.includes(name)) requireUsed(place, name, catalog);
    return { place, queue: place.db.queue(name), [Symbol.dispose]: () => place[Symbol.dispose]() };
  } catch (error) {
    place[Symbol.dispose]();
    throw error;
  }
}

function requireUsed({ db, name: file }: Place, name: string, catalog: readonly string[]): void {
  const used = db.queues();
  if (used.includes(name)) return;
  const known = [...new Set([...catalog, ...used])].sort();
  throw new HubError("NOT_FOUND", `${file} has no queue "${name}"`, {
    ...(known.length === 0 ? {} : { hint: `Known are ${known.join(", ")}` }),
    details: { queue: name, known },
  });
}
