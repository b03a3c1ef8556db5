import { expect, vi } from "vitest";
import { OperationRegistry } from "../src/index.ts";

export { ada, addSpec, countSpec } from "./specs.ts";

export const code = (expected: string) => expect.objectContaining({ code: expected });

/** Waits for a condition, at most as long as a busy machine may need. */
export const until = (condition: () => boolean): Promise<unknown> =>
  vi.waitUntil(condition, { timeout: 20_000 });

/** A registry that keeps what it would warn of. */
export function quietRegistry(options: { now?: () => number; timeoutMs?: number } = {}) {
  const reported: { error: unknown; operationId: string }[] = [];
  const registry = new OperationRegistry({
    ...options,
    onError: (error, { operationId }) => reported.push({ error, operationId }),
  });
  return { registry, reported };
}
