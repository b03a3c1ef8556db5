import type { Database, Stream } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { CallLogTable } from "./call-log-table.ts";
import type { JournalEvent } from "./journal-event.ts";
import type { JournalSettings } from "./journal-options.ts";
import type { OwnerLease } from "./owner-lease.ts";

/** What the parts of a journal share. */
export interface JournalContext {
  readonly client: Database;
  readonly stream: Stream<JournalEvent>;
  readonly log: CallLogTable;
  readonly lease: OwnerLease;
  readonly settings: JournalSettings;
}

/** Writes an event in the open transaction. */
export function publishEvent({ stream }: JournalContext, event: JournalEvent): void {
  stream.publish(event, { key: event.requestId });
}

/** @throws StorageError `TRANSACTION_STATE` */
export function requireOutside({ client }: JournalContext, action: string): void {
  if (!client.inTransaction) return;
  throw new StorageError("TRANSACTION_STATE", `cannot ${action} inside a transaction`, {
    hint: "The journal commits by itself: call it outside",
  });
}
