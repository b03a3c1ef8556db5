import type { AnyHandler, OperationContext, OperationSpec } from "@alkdev/operations";
import type { SystemDatabase, TenantDatabase } from "../client.ts";
import { answering } from "./engine-errors.ts";
import { findRow, requireRow, type WireValues } from "./find-row.ts";
import { listRows } from "./list-rows.ts";
import type { ListInput } from "./list-schema.ts";
import type { AnyDatabase } from "./row-fields.ts";
import type { RowChange, RowWrites } from "./row-writes.ts";
import type { TableDefinition } from "./table-definition.ts";

/** The database that handlers work on, or a function that finds it for a call. */
export type DatabaseSource<Db extends SystemDatabase | TenantDatabase> =
  | Db
  | ((context: OperationContext) => Db);

/** Handlers by operation name. */
export type TableHandlers = Readonly<Record<string, AnyHandler>>;

/** The operations of one table: specs to publish, and handlers for whoever wants them. */
export interface TableOperations<
  Specs extends readonly OperationSpec[] = readonly OperationSpec[],
  Db extends SystemDatabase | TenantDatabase = SystemDatabase | TenantDatabase,
> {
  /** Name of the table, and namespace of its operations. */
  readonly name: string;
  readonly specs: Specs;
  /** Handlers of the specs. Every one runs in one transaction, its events in the same commit. */
  handlers(source: DatabaseSource<Db>): TableHandlers;
}

/** Puts the operations of a table together. */
export function tableOperations<
  const Specs extends readonly OperationSpec[],
  Db extends SystemDatabase | TenantDatabase,
>(definition: TableDefinition, specs: Specs, writes: RowWrites): TableOperations<Specs, Db> {
  return {
    name: definition.name,
    specs,
    handlers(source) {
      const all = handlersOf(definition, writes, (context) => databaseOf(source, context));
      return Object.fromEntries(specs.map(({ name }) => [name, all[name] as AnyHandler]));
    },
  };
}

function databaseOf(
  source: DatabaseSource<SystemDatabase | TenantDatabase> | DatabaseSource<never>,
  context: OperationContext,
): AnyDatabase {
  return (typeof source === "function" ? source(context) : source) as never;
}

function handlersOf(
  definition: TableDefinition,
  writes: RowWrites,
  database: (context: OperationContext) => AnyDatabase,
): TableHandlers {
  const inTransaction = <Input>(
    work: (db: AnyDatabase, input: Input) => unknown,
  ): ((input: Input, context: OperationContext) => unknown) => {
    return (input, context) => {
      const db = database(context);
      return answering(() => db.transaction(() => work(db, input)));
    };
  };
  return {
    create: inTransaction<WireValues>((db, values) =>
      requireRow(db, definition, writes.create(db, values)),
    ),
    find: (key: WireValues, context) =>
      answering(() => findRow(database(context), definition, key)),
    list: (input: ListInput<Record<string, unknown>>, context) =>
      answering(() => listRows(database(context), definition, input)),
    update: inTransaction<RowChange>((db, change) => {
      writes.update(db, change);
      return requireRow(db, definition, change.id);
    }),
    delete: inTransaction<{ readonly id: string }>((db, { id }) => ({
      deleted: writes.delete(db, id),
    })),
  };
}
