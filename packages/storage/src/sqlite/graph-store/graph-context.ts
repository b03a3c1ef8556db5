import type { PreparedSql } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { GraphTypeRules } from "./graph-type-cache.ts";
import type { StoreContext } from "./store-context.ts";

const STATE = "SELECT status, graph_type_id FROM graphs WHERE id = +?";

/** One graph, as the functions that read and write it see it. */
export class GraphContext {
  readonly id: string;
  readonly store: StoreContext;

  constructor(store: StoreContext, id: string) {
    this.store = store;
    this.id = id;
  }

  sql(text: string): PreparedSql {
    return this.store.sql(text);
  }

  /**
   * Runs `work` in one transaction with the rules that the graph's type has now.
   *
   * @throws StorageError `NOT_FOUND`, `READ_ONLY`, `MIGRATION_STATE`
   */
  write<T>(work: (rules: GraphTypeRules) => T): T {
    return this.store.transaction(() => work(this.#writable()));
  }

  /** The rules of the graph's type, or null where it has none. @throws StorageError `NOT_FOUND` */
  rules(): GraphTypeRules | null {
    const [, typeId] = this.#state();
    return typeId === null ? null : this.store.types.read(typeId);
  }

  #state(): readonly [status: string, typeId: string | null] {
    const row = this.sql(STATE).row([this.id]);
    if (row === undefined) throw graphNotFound(this.id);
    return row as [string, string | null];
  }

  #writable(): GraphTypeRules {
    const [status, typeId] = this.#state();
    if (status === "archived") throw archived(this.id);
    const rules = typeId === null ? null : this.store.types.read(typeId);
    if (rules === null) {
      throw new StorageError("NOT_FOUND", `graph "${this.id}" has no graph type any more`, {
        hint: "It can be read, exported and deleted",
        details: { graphId: this.id },
      });
    }
    if (rules.version % 2 !== 0) {
      throw new StorageError(
        "MIGRATION_STATE",
        `graph "${this.id}" cannot be written: the data of graph type "${rules.name}" is being migrated`,
        {
          hint: "Let evolveGraphType finish; it resumes where it was stopped",
          details: { graphId: this.id, graphType: rules.name, version: rules.version },
        },
      );
    }
    return rules;
  }
}

/** The error of every call on a graph that is not there. */
export function graphNotFound(id: string): StorageError {
  return new StorageError("NOT_FOUND", `there is no graph "${id}"`, { details: { graphId: id } });
}

/** The error of every write to an archived graph. */
export function archived(id: string): StorageError {
  return new StorageError("READ_ONLY", `graph "${id}" is archived`, {
    hint: 'Set its status to "active" to write to it again',
    details: { graphId: id },
  });
}
