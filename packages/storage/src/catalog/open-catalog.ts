import type { Database, Queue, QueueOptions, Stream, StreamOptions } from "@alkdev/honker";
import { StorageError } from "../errors.ts";
import type { CatalogEntries, PayloadOf } from "./catalog.ts";
import { payloadSchema } from "./payload-schema.ts";

/** What is opened: a database and the catalog entries that hold in it. */
export interface CatalogSource<Entries extends CatalogEntries> {
  readonly db: Database;
  readonly entries: Entries;
}

/**
 * The queue of a catalog entry: payloads are typed, checked when a job is enqueued and again when it is
 * claimed; one that does not fit becomes a dead letter with the reason.
 *
 * @throws {@link StorageError} `UNKNOWN_EVENT`
 */
export function openCatalogQueue<
  Entries extends CatalogEntries,
  Name extends keyof Entries & string,
>(
  source: CatalogSource<Entries>,
  name: Name,
  options: QueueOptions<PayloadOf<Entries, Name>> = {},
): Queue<PayloadOf<Entries, Name>> {
  const { payload } = entryOf(source.entries, name);
  return source.db.queue(name, { ...options, schema: payloadSchema(payload) });
}

/**
 * The stream of a catalog entry: payloads are typed, checked when an event is published and again when
 * it is read; one that does not fit becomes a dead letter of the consumer.
 *
 * @throws {@link StorageError} `UNKNOWN_EVENT`
 */
export function openCatalogStream<
  Entries extends CatalogEntries,
  Name extends keyof Entries & string,
>(
  source: CatalogSource<Entries>,
  name: Name,
  options: StreamOptions<PayloadOf<Entries, Name>> = {},
): Stream<PayloadOf<Entries, Name>> {
  const { payload } = entryOf(source.entries, name);
  const schema = payloadSchema(payload);
  return source.db.stream(name, { onInvalid: "dead-letter", ...options, schema });
}

function entryOf<Entries extends CatalogEntries>(
  entries: Entries,
  name: keyof Entries & string,
): Entries[typeof name] {
  const entry = entries[name];
  if (entry !== undefined) return entry;
  throw new StorageError("UNKNOWN_EVENT", `"${name}" is not in the catalog`, {
    hint: `Known are ${Object.keys(entries).join(", ")}`,
  });
}
