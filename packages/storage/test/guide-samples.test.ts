// The code blocks of the guide's pages about stored data run as they are written, each in its own process.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { tempFolder } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));

function samplesOf(page: string): readonly (readonly [string, string])[] {
  const text = readFileSync(new URL(`../../../docs/guide/${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(
    ([, code = ""], i) => [`${page} ${i + 1}`, code] as const,
  );
}

describe("the samples of the guide", () => {
  const pages = [
    "calls.md",
    "schema-evolution.md",
    "secrets.md",
    "call-graph.md",
    "workers.md",
    "cross-tenant.md",
    "authentication.md",
  ];
  it.each(pages.flatMap(samplesOf))("%s", (_, code) => {
    const folder = tempFolder();
    mkdirSync(`${folder}/data`);
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--conditions=@alkdev/source", "--input-type=module-typescript", "-"],
      { cwd: PACKAGE, input: code.replaceAll("./data/", `${folder}/data/`), encoding: "utf8" },
    );
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});
