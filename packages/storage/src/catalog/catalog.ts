import type { Static, TSchema } from "@sinclair/typebox";

/** One channel, stream or queue: what it carries and for whom. */
export interface CatalogEntry<Payload extends TSchema = TSchema> {
  /** TypeBox schema of the payload. */
  readonly payload: Payload;
  /** What it is for, one sentence. */
  readonly description: string;
  /** Who reads it: the workers of a queue, the consumers of a stream. */
  readonly consumers?: readonly string[];
}

/** Entries by name. */
export type CatalogEntries = Readonly<Record<string, CatalogEntry>>;

/** Everything that travels through one kind of database. */
export interface Catalog {
  /** Ephemeral: whoever listens now. */
  readonly channels: CatalogEntries;
  /** Durable: every consumer, also later. */
  readonly streams: CatalogEntries;
  /** Work: one worker each, at least once. */
  readonly queues: CatalogEntries;
}

/** Payload types by name, for `createPubSub<EventsOf<typeof tenantCatalog.channels>>()`. */
export type EventsOf<Entries extends CatalogEntries> = {
  readonly [Name in keyof Entries]: Static<Entries[Name]["payload"]>;
};

/** The payload type of one entry. */
export type PayloadOf<Entries extends CatalogEntries, Name extends keyof Entries> = Static<
  Entries[Name]["payload"]
>;
