import { StorageError } from "../../errors.ts";
import { kindOf } from "./check-row.ts";
import type { Page } from "./rows.ts";

/** Which part of a list to read. */
export interface PageOptions {
  /** Most items of the page: 1 to 10,000. Default 100. */
  readonly limit?: number;
  /** The `cursor` of the page before. Default: the first page. */
  readonly cursor?: string | null;
}

/** A value that a list is ordered by. */
export type Position = string | number | null;

const DEFAULT_LIMIT = 100;
const MOST_PER_PAGE = 10_000;

/** The limit to use. @throws StorageError `INVALID_ARGUMENT` */
export function pageLimit(limit: number = DEFAULT_LIMIT): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_PER_PAGE) return limit;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `limit is ${typeof limit === "number" ? limit : kindOf(limit)}, not a whole number from 1 to ${MOST_PER_PAGE}`,
  );
}

/** What a cursor belongs to. */
export interface CursorKind {
  /** The list and its order; a cursor of another one is refused. */
  readonly list: string;
  /** How many values name a position. */
  readonly length: number;
}

/**
 * The position a cursor stands for, or null for the first page.
 *
 * @throws StorageError `INVALID_ARGUMENT` for one that this list did not give
 */
export function readCursor(
  cursor: string | null | undefined,
  { list, length }: CursorKind,
): readonly Position[] | null {
  if (cursor === undefined || cursor === null) return null;
  const decoded = typeof cursor === "string" ? decode(cursor) : null;
  if (decoded !== null && decoded.length === length + 1 && decoded[0] === list) {
    return decoded.slice(1);
  }
  throw new StorageError("INVALID_ARGUMENT", "the cursor is not one that this list gave", {
    hint: "Pass the cursor of the page before, with the same filter and order",
  });
}

/** One page from the rows of a query that asked for one more than `limit`. */
export function pageOf<Item>(
  items: readonly Item[],
  limit: number,
  cursor: { readonly list: string; readonly at: (item: Item) => readonly Position[] },
): Page<Item> {
  if (items.length <= limit) return { items, cursor: null };
  const page = items.slice(0, limit);
  return { items: page, cursor: encode([cursor.list, ...cursor.at(page[limit - 1] as Item)]) };
}

function encode(values: readonly Position[]): string {
  return Buffer.from(JSON.stringify(values)).toString("base64url");
}

function decode(cursor: string): readonly Position[] | null {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    return Array.isArray(values) && values.every(isPosition) ? values : null;
  } catch {
    return null;
  }
}

function isPosition(value: unknown): value is Position {
  return value === null || typeof value === "string" || typeof value === "number";
}
