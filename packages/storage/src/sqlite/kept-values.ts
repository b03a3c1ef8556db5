import type { Database } from "@alkdev/honker";
import { StorageError } from "../errors.ts";

/** Small values that a program keeps in a file by name: where it stands, what it was told. */
export interface KeptValues {
  /** The value; null where there is none. */
  get(name: string): unknown;
  /**
   * Keeps a value of JSON, in the open transaction if there is one.
   *
   * @throws StorageError `INVALID_ARGUMENT` for what JSON cannot hold
   */
  set(name: string, value: unknown): void;
  /** Returns whether there was one. */
  delete(name: string): boolean;
  /** All of them, by name. */
  list(): readonly { readonly name: string; readonly value: unknown }[];
}

const GET = "SELECT value FROM _alk_storage_state WHERE key = ?";
const SET = `INSERT INTO _alk_storage_state (key, value) VALUES (?, ?)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value`;
const DELETE = "DELETE FROM _alk_storage_state WHERE key = ?";
const LIST = `SELECT substr(key, length(?1) + 1), value FROM _alk_storage_state
  WHERE key >= ?1 AND key < ?1 || char(1114111) ORDER BY key`;

/**
 * The kept values of one kind in a system or tenant file.
 *
 * @param kind keeps those of different programs apart: letters, digits, `-`
 * @throws StorageError `INVALID_ARGUMENT`
 * @example
 * ```ts
 * const offsets = createKeptValues(tenant.$client, "offsets");
 * tenant.transaction(() => {
 *   apply(event);
 *   offsets.set(topic, event.offset); // both or neither
 * });
 * ```
 */
export function createKeptValues(client: Database, kind: string): KeptValues {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(kind)) {
    throw new StorageError(
      "INVALID_ARGUMENT",
      `the kind of kept values is ${JSON.stringify(kind)}; use up to 64 letters, digits and hyphens`,
    );
  }
  const prefix = `kept:${kind}:`;
  return {
    get(name) {
      const row = client.prepare(GET).row([prefix + name]);
      return row === undefined ? null : JSON.parse(row[0] as string);
    },
    set: (name, value) => void client.prepare(SET).run([prefix + name, jsonOf(value, name)]),
    delete: (name) => client.prepare(DELETE).run([prefix + name]).changes === 1,
    list: () =>
      client
        .prepare(LIST)
        .rows([prefix])
        .map(([name, value]) => ({ name: name as string, value: JSON.parse(value as string) })),
  };
}

function jsonOf(value: unknown, name: string): string {
  try {
    const text = JSON.stringify(value);
    if (text !== undefined) return text;
  } catch (error) {
    throw notJson(name, (error as Error).message);
  }
  throw notJson(name, `it is ${typeof value}`);
}

function notJson(name: string, reason: string): StorageError {
  return new StorageError("INVALID_ARGUMENT", `"${name}" cannot be kept as JSON: ${reason}`, {
    details: { name },
  });
}
