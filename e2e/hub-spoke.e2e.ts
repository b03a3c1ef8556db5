import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";

it("a hub and two spokes: calls wait for a killed spoke and are answered once", {
  timeout: 60_000,
}, async () => {
  const script = new URL("../examples/hub-spoke/main.ts", import.meta.url).pathname;
  const example = spawn(process.execPath, ["--conditions=@alkdev/source", script]);
  let output = "";
  example.stdout.on("data", (text) => {
    output += text;
  });
  example.stderr.on("data", (text) => {
    output += text;
  });
  const [code] = await once(example, "exit");
  expect(output).toContain("11 of 11 answers, 0 twice");
  expect(code).toBe(0);
});
