import { HonkerError } from "@alkdev/honker";
import { apiKeys, type SystemDatabase, systemSchema } from "@alkdev/storage/sqlite";
import { drizzle } from "drizzle-honker";
import { eq } from "drizzle-orm";
import { textOf } from "../postgres/expressions.ts";
import type { SourceSchema } from "../postgres/source-schema.ts";
import { tableQuery } from "../postgres/table-query.ts";
import type { TableImport } from "./table-import.ts";

/** Name of the step. */
export const KEY_ROTATIONS = "api_keys.rotated_to_id";

/**
 * Which key took over from which, once all keys are there: a key may name one that comes later.
 */
export function keyRotationsImport(schema: SourceSchema): TableImport {
  const from = { table: "api_keys", alias: "k" };
  return {
    name: KEY_ROTATIONS,
    counted: undefined,
    place: "system",
    target: "api_keys",
    query: tableQuery(
      "api_keys",
      `FROM ${schema.qualified("api_keys")} k WHERE k.rotated_to_id IS NOT NULL`,
      {
        org: "''",
        id: textOf(schema, from, "id"),
        rotated_to_id: textOf(schema, from, "rotated_to_id"),
      },
    ),
    map: (row) => [row[1] ?? null, row[2] ?? null],
    writeOne(_row, [id, rotatedToId], context) {
      const system: SystemDatabase = drizzle(context.client, { schema: systemSchema });
      const key = eq(apiKeys.id, String(id));
      const before = system.select().from(apiKeys).where(key).get();
      // the key itself was not taken, which is reported already
      if (before === undefined) return [];
      try {
        const changes = { rotatedToId: String(rotatedToId), updatedAt: before.updatedAt };
        system.update(apiKeys).set(changes).where(key).run();
        return [{ target: "api_keys", values: [String(id), String(rotatedToId)] }];
      } catch (error) {
        if (!isConstraint(error)) throw error;
        const message = `the key "${rotatedToId}" that took over was not taken: rotated_to_id is null`;
        context.changed("REFERENCE_REMOVED", message);
        return [];
      }
    },
  };
}

function isConstraint(error: unknown): boolean {
  const cause = error instanceof HonkerError ? error : (error as Error).cause;
  return cause instanceof HonkerError && cause.code === "CONSTRAINT";
}
