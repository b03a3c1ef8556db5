import { createTenantDatabase, evolveGraphType } from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countUp, fillTasks, guardsOf, TasksV4, versionOf, wrongRows } from "./evolve-tasks.ts";

type Action =
  | { readonly do: "stop" }
  | { readonly do: "insert" | "delete" | "change" | "replace"; readonly key: number };

const INSERT = `INSERT OR IGNORE INTO nodes (id, graph_id, key, attributes, metadata)
  VALUES ('n-' || ?1, 'g-' || (?1 % 2), 't-' || ?1, json_object('count', ?1),
    '{"_metagraph":{"nodeType":"task"}}')`;
const SQL = {
  insert: INSERT,
  replace: INSERT.replace("IGNORE", "REPLACE"),
  delete: "DELETE FROM nodes WHERE key = 't-' || ?1",
  // another text of the same value, for rows that were not reached; others are refused
  change: `UPDATE nodes SET attributes = ' ' || attributes WHERE key = 't-' || ?1
    AND json_extract(metadata, '$._metagraph.version') IS NULL`,
};

const key = fc.integer({ min: 0, max: 40 });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ do: "stop" as const }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("insert", "delete", "change", "replace"), key }),
  },
);

describe("evolution among writers (M30)", () => {
  it("migrates every row that is left exactly once, whatever is written and wherever it stops", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(action, { maxLength: 4 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        async (turns, batchSize, precheck) => {
          using client = tempDatabase();
          const tenant = createTenantDatabase(client);
          fillTasks(tenant, 30);
          const left = [...turns];
          for (;;) {
            const controller = new AbortController();
            const run = evolveGraphType(tenant, TasksV4, {
              migrations: countUp,
              batchSize,
              precheck,
              signal: controller.signal,
              onProgress: () => {
                for (const it of left.shift() ?? []) {
                  if (it.do === "stop") controller.abort(new Error("stopped"));
                  else client.execute(SQL[it.do].replaceAll("?1", String(it.key)));
                }
              },
            });
            const stopped = await run.then(
              () => false,
              (error: unknown) => (error as Error).message === "stopped" || Promise.reject(error),
            );
            if (!stopped) break;
          }
          expect(wrongRows(client)).toEqual([]);
          expect([versionOf(client), guardsOf(client)]).toEqual([4, 0]);
        },
      ),
      { numRuns: 40 },
    );
  }, 120_000);
});
