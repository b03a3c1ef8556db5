import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";

it("the example of spokes: orders are answered and taken once, though a spoke is killed (M43)", {
  timeout: 120_000,
}, async () => {
  const script = new URL("../examples/spoke/main.ts", import.meta.url).pathname;
  const example = spawn(process.execPath, ["--conditions=@alkdev/source", script]);
  let output = "";
  for (const stream of [example.stdout, example.stderr]) {
    stream.on("data", (text) => {
      output += text;
    });
  }
  const [code] = await once(example, "exit");
  expect(output).toContain("41 orders answered, 41 taken");
  expect(code).toBe(0);
});
