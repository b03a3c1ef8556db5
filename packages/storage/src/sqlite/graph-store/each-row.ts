import type { Page } from "./rows.ts";

/** Rows that one page of an iteration holds. */
const PAGE = 1_000;

/** The items of all pages in turn; between two pages others can write. */
export function* eachRow<Item>(
  list: (page: { readonly limit: number; readonly cursor: string | null }) => Page<Item>,
): Generator<Item, void, void> {
  let cursor: string | null = null;
  do {
    const page: Page<Item> = list({ limit: PAGE, cursor });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== null);
}
