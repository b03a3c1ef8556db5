import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { onTestFinished } from "vitest";

export const {
  POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/test",
  REDIS_URL = "redis://127.0.0.1:6379",
} = process.env;

/** A name that no other test has. */
export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString("hex")}`;
}

/** Runs SQL on PostgreSQL. */
export async function onPostgres(sql: string): Promise<string[][]> {
  const client = new Client({ connectionString: POSTGRES_URL });
  await client.connect();
  try {
    const { rows } = await client.query<string[]>({ text: sql, rowMode: "array" });
    return rows;
  } finally {
    await client.end();
  }
}

/** Name of a schema that is dropped when the running test ends. */
export function tempSchema(): string {
  const schema = uniqueName("hub");
  onTestFinished(async () => {
    await onPostgres(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  });
  return schema;
}
