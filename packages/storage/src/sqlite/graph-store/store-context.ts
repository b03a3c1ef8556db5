import type { Clock, Database, PreparedSql, SyncCallback, Transaction } from "@alkdev/honker";
import { LruMap } from "../../graphs/lru-map.ts";
import { GraphTypeCache } from "./graph-type-cache.ts";

/** Statements that are kept; those of filters differ by their shape. */
const MOST_STATEMENTS = 300;

/** What the parts of a graph store share. */
export class StoreContext {
  readonly client: Database;
  readonly types: GraphTypeCache;
  readonly #clock: Clock;
  readonly #statements = new LruMap<string, PreparedSql>(MOST_STATEMENTS);

  constructor(client: Database, clock: Clock = { now: () => Date.now() }) {
    this.client = client;
    this.#clock = clock;
    this.types = new GraphTypeCache((text) => this.sql(text));
  }

  /** A statement, prepared once. @throws `CLOSED` */
  sql(text: string): PreparedSql {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.client.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  /** Runs `work` in one transaction, or in a savepoint of the open one. */
  transaction<T>(work: () => T): T {
    return this.#run(work, "immediate");
  }

  /** Runs `work`, which only reads, so that it sees one state of the file. */
  read<T>(work: () => T): T {
    return this.client.inTransaction ? work() : this.#run(work, "deferred");
  }

  #run<T>(work: () => T, behavior: "immediate" | "deferred"): T {
    return this.client.transaction(work as SyncCallback<Transaction, T>, { behavior });
  }

  /** Seconds since 1970, the unit of the time columns. */
  nowSeconds(): number {
    return Math.floor(this.#clock.now() / 1_000);
  }
}
