// Writes docs/operations.md from the specs of a hub. `--check` only says whether the page is up to date.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHubCore } from "@alkdev/hub";
import { type OperationSpec, operationId } from "@alkdev/operations";
import { notation } from "./notation.ts";

const PAGE = new URL("../docs/operations.md", import.meta.url);

interface Specs {
  readonly tenant: readonly OperationSpec[];
  readonly system: readonly OperationSpec[];
}

async function specsOfHub(): Promise<Specs> {
  const dataFolder = mkdtempSync(join(tmpdir(), "alkdev-operations-"));
  try {
    await using core = createHubCore({ dataFolder });
    return core.ownSpecs();
  } finally {
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

function table(heading: string, intro: string, specs: readonly OperationSpec[]): string {
  const rows = [...specs]
    .sort((a, b) => (operationId(a) < operationId(b) ? -1 : 1))
    .map((spec) => {
      const { requiredScopes } = spec.accessControl;
      const scope = requiredScopes.map((one) => `\`${one}\``).join(", ") || "–";
      const input = notation(spec.inputSchema);
      return `| \`${operationId(spec)}\` | ${spec.type} | ${scope} | ${cell(spec.description)} | \`${input}\` |`;
    });
  return `## ${heading}\n\n${intro}\n\n| operation | kind | scope | what it does | input |\n| --- | --- | --- | --- | --- |\n${rows.join("\n")}\n`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function page({ tenant, system }: Specs): string {
  const isOfHub = ({ tags }: OperationSpec): boolean => tags?.includes("table") !== true;
  const ids = (specs: readonly OperationSpec[]): ReadonlySet<string> =>
    new Set(specs.filter(isOfHub).map(operationId));
  const [inTenant, inSystem] = [ids(tenant), ids(system)];
  const both = tenant.filter((spec) => isOfHub(spec) && inSystem.has(operationId(spec)));
  const tenantOnly = tenant.filter((spec) => isOfHub(spec) && !inSystem.has(operationId(spec)));
  const systemOnly = system.filter((spec) => isOfHub(spec) && !inTenant.has(operationId(spec)));
  const tables = (specs: readonly OperationSpec[]): string =>
    [...new Set(specs.filter((spec) => !isOfHub(spec)).map(({ namespace }) => namespace))]
      .map((name) => `\`${name}\``)
      .join(", ");
  return [
    "# Operations of a hub",
    "",
    "Written by `npm run docs:operations` from the specs. A hub says the same over `hub.operations`, with JSON Schemas of",
    "inputs and outputs and the errors of each. [guide/hub-operations](guide/hub-operations.md) shows how to use them.",
    "",
    "Times are ISO 8601 in UTC. Lists are pages: pass `cursor` on until it is null.",
    "",
    table(
      "In an organisation and in the system",
      "Each realm has these over its own file: the organisation's, or `system.db`.",
      both,
    ),
    table(
      "In an organisation",
      `Also \`create\`, \`find\`, \`list\`, \`update\` and \`delete\` of the tables ${tables(tenant)}, with the scopes \`{table}:read\` and \`{table}:write\`: see [guide/table-operations](guide/table-operations.md).`,
      tenantOnly,
    ),
    table(
      "In the system",
      `For accounts of the access level \`admin\`. Also the operations of the tables ${tables(system)}.`,
      systemOnly,
    ),
  ].join("\n");
}

const text = page(await specsOfHub());
if (!process.argv.includes("--check")) {
  writeFileSync(PAGE, text);
} else if (readFileSync(PAGE, "utf8") !== text) {
  console.error("docs/operations.md is not up to date: run `npm run docs:operations`");
  process.exitCode = 1;
}
