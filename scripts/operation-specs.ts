/** Writes the specs of the tables' operations to the golden file that a test compares them with. */
import { writeFileSync } from "node:fs";
import { systemTables, tenantTables } from "@alkdev/storage/sqlite";

const GOLDEN = new URL("../packages/storage/test/golden/operation-specs.json", import.meta.url);
/** As deep as one property of an input or output; below, a change shows as one line. */
const UNFOLDED = 4;

const specs = [...systemTables, ...tenantTables].flatMap((table) => table.specs);
writeFileSync(GOLDEN, `${unfold(JSON.parse(JSON.stringify(specs)))}\n`);
console.log(`${specs.length} specs`);

/** JSON, with a line for each member of the upper levels. */
function unfold(value: unknown, depth = 0): string {
  if (typeof value !== "object" || value === null || depth === UNFOLDED) {
    return JSON.stringify(value);
  }
  const list = Array.isArray(value);
  const members = list
    ? value.map((member) => unfold(member, depth + 1))
    : Object.entries(value).map(
        ([name, member]) => `${JSON.stringify(name)}: ${unfold(member, depth + 1)}`,
      );
  if (members.length === 0) return list ? "[]" : "{}";
  const indent = "  ".repeat(depth);
  const lines = members.map((member) => `${indent}  ${member}`).join(",\n");
  return `${list ? "[" : "{"}\n${lines}\n${indent}${list ? "]" : "}"}`;
}
