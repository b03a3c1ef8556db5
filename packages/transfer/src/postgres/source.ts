import { Client } from "pg";
import { to as copyTo } from "pg-copy-streams";
import { TransferError } from "../errors.ts";
import { copyFields, type Field } from "./copy-text.ts";

/** One moment of a PostgreSQL database, read over one connection. It never writes. */
export class Source {
  readonly #client: Client;
  #lost: Error | undefined;

  constructor(client: Client) {
    this.#client = client;
    // a lost connection also fails the query that runs; unheard, this event would end the process
    client.on("error", (error) => {
      this.#lost ??= error;
    });
  }

  /** All rows of a small query, positional, every value as text. */
  async rows(sql: string, values: readonly unknown[] = []): Promise<Field[][]> {
    this.#requireConnection();
    const { rows } = await this.#client.query<Field[]>({
      text: sql,
      values: [...values],
      rowMode: "array",
      types: { getTypeParser: () => (text: string) => text },
    });
    return rows;
  }

  /** The rows of a query in batches, however many there are. */
  async *batches(sql: string, batchSize: number): AsyncGenerator<Field[][], void> {
    this.#requireConnection();
    const stream = this.#client.query(copyTo(`COPY (${sql}) TO STDOUT`));
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let rest = "";
    let batch: Field[][] = [];
    try {
      for await (const chunk of stream) {
        const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          batch.push(copyFields(line));
          if (batch.length < batchSize) continue;
          yield batch;
          batch = [];
        }
      }
    } finally {
      // an abandoned COPY would be read to its end before the next query
      if (!stream.readableEnded) await this.close();
    }
    if (batch.length > 0) yield batch;
  }

  quote(text: string): string {
    return this.#client.escapeLiteral(text);
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => {});
  }

  #requireConnection(): void {
    if (this.#lost === undefined) return;
    throw new TransferError("SOURCE_UNAVAILABLE", "the connection to PostgreSQL was lost", {
      cause: this.#lost,
      hint: "Call again: it goes on from the last batch",
    });
  }
}

/** Memory that a sort of the source may take before it goes to disk. */
const WORK_MEM = "64MB";

/**
 * Opens one consistent moment of a database.
 *
 * @throws {@link TransferError} `SOURCE_UNAVAILABLE`
 */
export async function openSource(url: string): Promise<Source> {
  const client = await connect(url);
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  await client.query(`SET LOCAL work_mem = '${WORK_MEM}'`);
  await client.query("SET LOCAL TimeZone = 'UTC'");
  await client.query("SET LOCAL DateStyle = 'ISO'");
  await client.query("SET LOCAL bytea_output = 'hex'");
  await client.query("SET LOCAL extra_float_digits = 1");
  await client.query("SET LOCAL statement_timeout = 0");
  await client.query("SET LOCAL idle_in_transaction_session_timeout = 0");
  return new Source(client);
}

/** Connects, for reading or for seeding. @throws {@link TransferError} `SOURCE_UNAVAILABLE` */
export async function connect(url: string): Promise<Client> {
  const client = new Client({
    connectionString: url,
    application_name: "alkdev-transfer",
    client_encoding: "UTF8",
    keepAlive: true,
  });
  try {
    await client.connect();
  } catch (cause) {
    await client.end().catch(() => {});
    throw new TransferError("SOURCE_UNAVAILABLE", `cannot connect to ${shownUrl(url)}`, {
      cause,
      hint: "Check host, port, database, user and password",
    });
  }
  return client;
}

/** A url as it may be shown: without the password. */
export function shownUrl(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.password = "";
    parsed.search = "";
    return parsed.href;
  } catch {
    return "the given url";
  }
}
