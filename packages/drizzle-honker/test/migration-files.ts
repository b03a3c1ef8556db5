import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "@alkdev/testkit";

/** Writes a folder in the format of drizzle-kit; the n-th migration is dated n seconds after 1970. */
export function folderWith(migrations: Readonly<Record<string, readonly string[]>>): string {
  const folder = tempFolder();
  mkdirSync(join(folder, "meta"));
  const entries = Object.entries(migrations).map(([tag, statements], idx) => {
    writeFileSync(join(folder, `${tag}.sql`), statements.join("--> statement-breakpoint"));
    const when = (Number.parseInt(tag, 10) || idx) * 1_000 + 1_000;
    return { idx, version: "6", when, tag, breakpoints: true };
  });
  writeFileSync(
    join(folder, "meta", "_journal.json"),
    JSON.stringify({ version: "7", dialect: "sqlite", entries }),
  );
  return folder;
}
