import {
  Column,
  getTableColumns,
  getTableName,
  getViewName,
  getViewSelectedFields,
  is,
  SQL,
} from "drizzle-orm";
import { SQLiteTable, SQLiteView } from "drizzle-orm/sqlite-core";
import { StorageError } from "../../errors.ts";

/** What a table or view has under one property name: a column, an expression, or a nested selection. */
export type Field = Column | SQL | SQL.Aliased | Fields;

/** Fields by property name. */
export interface Fields {
  readonly [key: string]: Field;
}

/** A table or view with its name in the database, for messages. */
export interface Entity {
  readonly name: string;
  readonly fields: Fields;
}

/** The fields of a table or view. @throws StorageError `INVALID_ARGUMENT` for anything else */
export function readEntity(entity: unknown): Entity {
  if (is(entity, SQLiteTable)) return { name: getTableName(entity), fields: fieldsOf(entity) };
  if (is(entity, SQLiteView)) return { name: getViewName(entity), fields: fieldsOf(entity) };
  throw new StorageError("INVALID_ARGUMENT", "neither a Drizzle table of SQLite nor a view of it", {
    hint: 'Pass what sqliteTable(…) or sqliteView(…) of "drizzle-orm/sqlite-core" returned',
  });
}

/** The fields below one that is neither a column nor an expression. */
export function nestedFields(field: Field): Fields | null {
  return is(field, Column) || is(field, SQL) || is(field, SQL.Aliased) ? null : fieldsOf(field);
}

function fieldsOf(entity: unknown): Fields {
  if (is(entity, SQLiteTable)) return getTableColumns(entity);
  if (is(entity, SQLiteView)) return getViewSelectedFields(entity) as Fields;
  return entity as Fields;
}
