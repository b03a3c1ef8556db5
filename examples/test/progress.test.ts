import type { WriteStream } from "node:tty";
import { expect, test } from "vitest";
import { ProgressLine } from "../package-graph/progress.ts";

function terminal(isTTY: boolean): { out: WriteStream; text: () => string } {
  let text = "";
  const out = { isTTY, columns: 60, write: (chunk: string) => (text += chunk) };
  return { out: out as unknown as WriteStream, text: () => text };
}

test("on a terminal it is one line that updates itself, fits, and goes away", () => {
  const { out, text } = terminal(true);
  const progress = new ProgressLine(out);
  progress.update({ phase: "packages counted", done: 1, total: 1 });
  progress.say("worker died");
  progress.clear();
  const lines = text().split("\r\u001b[2K");
  expect(lines[0]).toBe("");
  expect(lines[1]).toMatch(/█+ packages counted 1\/1$/);
  expect(lines[2]).toMatch(/^worker died\n$/);
  expect(lines[3]).toBe(lines[1]);
  expect(lines.at(-1)).toBe("");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(60);
});

test("elsewhere it is a line per tenth, without control characters", () => {
  const { out, text } = terminal(false);
  const progress = new ProgressLine(out);
  for (let done = 0; done <= 1_000; done++) progress.update({ phase: "jobs", done, total: 1_000 });
  progress.clear();
  expect(text().split("\n")).toHaveLength(12);
  expect(text()).not.toContain("\r");
  expect(text()).not.toContain("\u001b");
});

test("nothing to do is done", () => {
  const { out, text } = terminal(false);
  new ProgressLine(out).update({ phase: "jobs", done: 0, total: 0 });
  expect(text()).toBe("jobs 0/0\n");
});
