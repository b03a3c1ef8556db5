import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { tempFolder } from "@alkdev/testkit";

const require = createRequire(import.meta.url);
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const KIT = join(dirname(require.resolve("drizzle-kit")), "bin.cjs");

/** A project in a temporary folder on which the real drizzle-kit is run. */
export class KitProject {
  readonly folder: string = tempFolder();
  readonly migrations: string = join(this.folder, "drizzle");

  constructor() {
    symlinkSync(join(ROOT, "node_modules"), join(this.folder, "node_modules"));
  }

  /** Writes the schema: the columns of two tables, children pointing to parents. */
  schema(parent: string, child: string = ""): void {
    this.file(
      "schema.ts",
      `import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
export const parents = sqliteTable("parents", { id: integer().primaryKey(), ${parent} });
export const children = sqliteTable("children", {
  id: integer().primaryKey(),
  parentId: integer("parent_id").notNull().references(() => parents.id, { onDelete: "cascade" }),
  ${child}
});\n`,
    );
  }

  config(extra: Record<string, unknown> = {}): void {
    const config = { dialect: "sqlite", schema: "./schema.ts", out: "./drizzle", ...extra };
    this.file("drizzle.config.ts", `export default ${JSON.stringify(config)};\n`);
  }

  file(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  /** Runs drizzle-kit and returns what it printed. */
  run(...args: string[]): string {
    return execFileSync(process.execPath, [KIT, ...args], {
      cwd: this.folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
}
