import type { HubCaller } from "@alkdev/hub/spoke";

/** Every item of pages. */
export async function all(
  client: HubCaller,
  operation: string,
  input: Readonly<Record<string, unknown>>,
): Promise<readonly Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  for (let cursor: string | null = null; ; ) {
    const { data } = await client.call(operation, {
      ...input,
      limit: 500,
      ...(cursor === null ? {} : { cursor }),
    });
    const page = data as { items: Record<string, unknown>[]; cursor: string | null };
    items.push(...page.items);
    if (page.cursor === null) return items;
    cursor = page.cursor;
  }
}
