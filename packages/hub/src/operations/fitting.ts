/** Bytes of JSON that one answer should not exceed: what a frame and a buffer take. */
const MOST_CHARACTERS = 524_288;

/** As many items as go into one answer, at least one; looks at one more at most. */
export function fitting<Item>(
  items: Iterable<Item>,
  limit: number,
): { items: Item[]; more: boolean } {
  const taken: Item[] = [];
  let characters = 0;
  for (const item of items) {
    if (taken.length === limit) return { items: taken, more: true };
    characters += JSON.stringify(item).length;
    if (taken.length > 0 && characters > MOST_CHARACTERS) return { items: taken, more: true };
    taken.push(item);
  }
  return { items: taken, more: false };
}
