// Compiles every TypeScript block of the documentation, each as a module of its own, so that what is
// written there is what the packages offer. A block without imports has those of the blocks above it on
// the page; other names that it does not declare are those of scripts/doc-blocks.d.ts.
// Run: npm run docs:check
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
// inside the repository, so that blocks find its packages
const FOLDER = join(ROOT, "node_modules", ".cache", "doc-blocks");
const PAGES = ["README.md", "docs/**/*.md", "packages/*/README.md", "bench/README.md"];

const IMPORT = /^import [^;]*;/gm;

/** A block and where it stands. */
interface Block {
  readonly page: string;
  /** One line before the code. */
  readonly imports: string;
  /** Line of the page that its first line is. */
  readonly line: number;
  readonly code: string;
}

function blocksOf(page: string): Block[] {
  const lines = readFileSync(join(ROOT, page), "utf8").split("\n");
  const blocks: Block[] = [];
  let above = "";
  for (let i = 0; i < lines.length; i++) {
    if (lines[i] !== "```ts") continue;
    const end = lines.indexOf("```", i);
    if (end === -1) throw new Error(`${page}:${i + 1}: the block has no end`);
    const code = lines.slice(i + 1, end).join("\n");
    const own = code.match(IMPORT) ?? [];
    blocks.push({ page, line: i + 2, imports: own.length === 0 ? above : "", code });
    if (own.length > 0) above = own.join(" ").replaceAll("\n", " ");
    i = end;
  }
  return blocks;
}

const blocks = PAGES.flatMap((pattern) => globSync(pattern, { cwd: ROOT }))
  .filter((page) => !page.includes("node_modules"))
  .toSorted()
  .flatMap(blocksOf);
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const byFile = new Map(
  blocks.map((block) => {
    const name = `${block.page.replaceAll(/[^a-z0-9]+/gi, "-")}-${block.line}.ts`;
    writeFileSync(join(FOLDER, name), `${block.imports}\n${block.code}\nexport {};\n`);
    return [name, block];
  }),
);
const config = {
  extends: relative(FOLDER, join(ROOT, "tsconfig.test.json")),
  compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
  files: [...byFile.keys(), relative(FOLDER, join(ROOT, "scripts", "doc-blocks.d.ts"))],
  include: [],
  exclude: [],
};
writeFileSync(join(FOLDER, "tsconfig.json"), JSON.stringify(config));

let output = "";
try {
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  execFileSync(process.execPath, [tsc, "--pretty", "false", "-p", FOLDER], { encoding: "utf8" });
} catch (error) {
  output = (error as { stdout: string }).stdout;
}
const problems = output.split("\n").filter((line) => line !== "");
for (const problem of problems) {
  const [, file = "", line = "1", rest = problem] =
    /([^/\\]+\.ts)\((\d+),\d+\): (.*)/.exec(problem) ?? [];
  const block = byFile.get(file);
  console.error(
    block === undefined ? problem : `${block.page}:${block.line + Number(line) - 2}: ${rest}`,
  );
}
console.log(`${blocks.length} blocks of documentation, ${problems.length} problems`);
if (problems.length > 0) process.exit(1);
