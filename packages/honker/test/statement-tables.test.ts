import { execFileSync } from "node:child_process";
import { tempDatabase } from "@alkdev/testkit";
import { expect, it } from "vitest";

/** Changes the schema from another process. */
function execute(path: string, sql: string): void {
  const script = `import { open } from "@alkdev/honker";
    using db = open(process.argv[1]); db.execute(process.argv[2]);`;
  const args = ["--conditions=@alkdev/source", "--input-type=module", "--eval", script, path, sql];
  execFileSync(process.execPath, args, { cwd: import.meta.dirname });
}

it("M11: finds the tables of a statement after another process changed the schema", () => {
  const db = tempDatabase();
  const names = Array.from({ length: 20 }, (_, n) => `table_with_a_name_of_its_own_${n}`);
  for (const name of names) db.execute(`CREATE TABLE ${name} (a, b)`);
  const written = (): string[] =>
    names.flatMap((name) => [...db.tablesOf(`INSERT INTO ${name} VALUES (1, 2)`).writes]);
  expect(written()).toEqual(names);
  for (const n of [0, 1, 2]) {
    execute(db.path, `CREATE INDEX index_${n} ON ${names[n]} (a)`);
    // the schema in memory is thrown away, and something else comes to its place
    expect(db.rows(`SELECT count(*) FROM ${names[n]}`)).toEqual([[0]]);
    for (let i = 0; i < 200; i += 1)
      db.rows(`SELECT ${i}, '${"x".repeat(40)}' AS "${"y".repeat(40)}"`);
    expect(written()).toEqual(names);
  }
});
