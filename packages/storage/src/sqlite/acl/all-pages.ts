import type { Page } from "../graph-store/rows.ts";

/** Every item of a list, read page by page. */
export function* allPages<Item>(read: (cursor: string | null) => Page<Item>): Generator<Item> {
  for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
    const page: Page<Item> = read(cursor);
    yield* page.items;
    cursor = page.cursor;
  }
}
