import type { Database } from "@alkdev/honker";
import { openCatalogStream, type PayloadOf, tenantCatalog } from "@alkdev/storage/catalog";
import {
  type CallJournal,
  type CallJournalOptions,
  createCallJournal,
  createTenantDatabase,
  type JournaledCall,
  type TenantDatabase,
} from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { onTestFinished } from "vitest";

export type CallEvent = PayloadOf<typeof tenantCatalog.streams, "call-protocol">;

export interface Journal {
  readonly client: Database;
  readonly db: TenantDatabase;
  readonly journal: CallJournal;
  /** What reached `onError`. */
  readonly errors: unknown[];
  /** Another journal of the file, as another process has it; closed when the test ends. */
  open(options?: Partial<CallJournalOptions>): CallJournal;
  /** The events of the stream, checked by the catalog's schema. */
  events(): CallEvent[];
  /** Inserts a row of the test's own table. */
  add(text: string): number;
  /** The rows of the test's own table. */
  rows(): unknown[];
}

/** A tenant's file with a table `effects`, and a journal of it. */
export function journalFixture(
  options: Partial<CallJournalOptions> = {},
  client: Database = tempDatabase(),
): Journal {
  const db = createTenantDatabase(client);
  client.execute("CREATE TABLE IF NOT EXISTS effects (text TEXT NOT NULL)");
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const open = (more: Partial<CallJournalOptions> = {}): CallJournal => {
    const journal = createCallJournal(db, { owner: "hub", onError, ...options, ...more });
    onTestFinished(() => journal.close());
    return journal;
  };
  const stream = openCatalogStream({ db: client, entries: tenantCatalog.streams }, "call-protocol");
  return {
    client,
    db,
    journal: open(),
    errors,
    open,
    events: () => stream.readSince(0, 1_000_000).map(({ payload }) => payload),
    add: (text) => client.execute("INSERT INTO effects VALUES (?)", [text]).changes,
    rows: () => client.rows("SELECT text FROM effects ORDER BY rowid").map(([text]) => text),
  };
}

export const ADA = { id: "ada", scopes: ["tasks:write"] };

/** A call of the operation `tasks.create`. */
export function callOf(requestId: string, more: Partial<JournaledCall> = {}): JournaledCall {
  return { requestId, operationId: "tasks.create", input: { title: "t" }, identity: ADA, ...more };
}

/** What a function throws, as `code: message`. */
export function codeOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return (error as { code?: unknown }).code ?? String(error);
  }
  return "nothing was thrown";
}
