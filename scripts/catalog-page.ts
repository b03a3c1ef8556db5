// Writes docs/catalog.md from the catalogs. `--check` only says whether the page is up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { type CatalogEntries, systemCatalog, tenantCatalog } from "@alkdev/storage/catalog";
import { notation } from "./notation.ts";

const PAGE = new URL("../docs/catalog.md", import.meta.url);

function table(heading: string, entries: CatalogEntries, delivery: string): string {
  const rows = Object.entries(entries).map(([name, entry]) => {
    const readers = entry.consumers === undefined ? "whoever listens" : entry.consumers.join(", ");
    return `| \`${name}\` | ${entry.description} | ${readers} | \`${notation(entry.payload)}\` |`;
  });
  return `### ${heading}\n\n${delivery}\n\n| name | what | read by | payload |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`;
}

function page(): string {
  const kinds = [
    ["System database (`system.db`)", systemCatalog],
    ["Tenant database (`tenant-{orgId}.db`)", tenantCatalog],
  ] as const;
  const sections = kinds.map(([title, catalog]) =>
    [
      `## ${title}\n`,
      table("Channels", catalog.channels, "At most once, for whoever listens when they commit."),
      table("Streams", catalog.streams, "At least once for each consumer; kept."),
      table(
        "Queues",
        catalog.queues,
        "At least once for one worker; exactly once for effects in the file.",
      ),
    ].join("\n"),
  );
  return [
    "# Catalog of events, streams and queues",
    "",
    "Written by `npm run docs:catalog` from `packages/storage/src/catalog`. Payloads are checked when they are",
    "written and when they are read; no other properties are allowed. Ids are non-empty text, times are",
    "milliseconds since 1970.",
    "",
    ...sections,
  ].join("\n");
}

const text = page();
if (!process.argv.includes("--check")) {
  writeFileSync(PAGE, text);
} else if (readFileSync(PAGE, "utf8") !== text) {
  console.error("docs/catalog.md is not up to date: run `npm run docs:catalog`");
  process.exitCode = 1;
}
