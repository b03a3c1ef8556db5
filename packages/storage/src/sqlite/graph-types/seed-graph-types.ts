import { createHash } from "node:crypto";
import type { Database, Transaction } from "@alkdev/honker";
import {
  type AnyModule,
  type DbSchema,
  moduleToDbSchema,
  planEvolution,
} from "../../graphs/index.ts";
import { readGraphType } from "./read-graph-type.ts";
import { writeGraphType } from "./write-graph-type.ts";

interface Seed {
  readonly modules: readonly { readonly module: AnyModule; readonly schema: DbSchema }[];
  /** Of everything that would be written. */
  readonly fingerprint: string;
}

const SEEDED = "SELECT value FROM _alk_storage_state WHERE key = 'seed'";
const SET_SEEDED = `INSERT INTO _alk_storage_state (key, value) VALUES ('seed', ?)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value`;
const BEGIN_SEEDING = "INSERT INTO _alk_storage_state (key, value) VALUES ('seeding', '')";
const END_SEEDING = "DELETE FROM _alk_storage_state WHERE key = 'seeding'";

const seeds = new WeakMap<readonly AnyModule[], Seed>();

/**
 * Writes the system graph types into a file, once per version of the Modules: new ones are created,
 * additive changes are projected. A change that needs stored data to be looked at or migrated is left to
 * `evolveGraphType`, and one made by newer code is left alone. A tenant's own graph type of the same name
 * keeps the name.
 *
 * Costs one read where the file was seeded with the same Modules before.
 */
export function seedGraphTypes(client: Database, modules: readonly AnyModule[]): void {
  const seed = seedOf(modules);
  if (isSeeded(client, seed)) return;
  client.transaction((tx) => {
    if (isSeeded(client, seed)) return;
    tx.execute(BEGIN_SEEDING);
    for (const { module, schema } of seed.modules) seedOne(client, tx, { module, schema });
    tx.execute(SET_SEEDED, [seed.fingerprint]);
    tx.execute(END_SEEDING);
  });
}

/** Lets `write` change system graph types of a tenant's file, in the transaction it is given. */
export function whileSeeding<T>(tx: Transaction, write: () => T): T {
  tx.execute(BEGIN_SEEDING);
  const result = write();
  tx.execute(END_SEEDING);
  return result;
}

function isSeeded(client: Database, { fingerprint }: Seed): boolean {
  return client.rows(SEEDED)[0]?.[0] === fingerprint;
}

function seedOne(client: Database, tx: Transaction, { module, schema }: Seed["modules"][0]): void {
  const stored = readGraphType(client, { name: schema.graphType.name });
  if (stored === null) {
    writeGraphType(tx, schema, { scope: "system", stored });
    return;
  }
  if (stored.scope !== "system") return;
  const { action } = planEvolution(stored, module);
  if (action === "project") writeGraphType(tx, schema, { scope: "system", stored });
}

function seedOf(modules: readonly AnyModule[]): Seed {
  const known = seeds.get(modules);
  if (known !== undefined) return known;
  const read = modules.map((module) => ({ module, schema: moduleToDbSchema(module) }));
  const text = JSON.stringify(read.map(({ schema }) => schema));
  const seed = {
    modules: read,
    fingerprint: createHash("sha256").update(text).digest("hex"),
  };
  seeds.set(modules, seed);
  return seed;
}
