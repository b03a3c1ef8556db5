import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const guide = readFileSync(`${ROOT}docs/guide/access-control.md`, "utf8");
const blocks = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);

describe("the guide to access control (M31)", () => {
  it.each(blocks.map((code, at) => [at + 1, code] as const))(
    "block %d runs and prints what its comments say",
    async (_, code) => {
      const flags = ["--conditions=@alkdev/source", "--input-type=module-typescript"];
      const run = promisify(execFile);
      const { stdout } = await run(process.execPath, [...flags, "-e", code], { cwd: ROOT });
      const expected = [...code.matchAll(/^\/\/ (.*)$/gm)].map(([, line]) => line);
      expect(stdout.split("\n").slice(0, -1)).toEqual(expected);
    },
  );

  it("has an example", () => {
    expect(blocks.length).toBeGreaterThan(0);
  });
});
