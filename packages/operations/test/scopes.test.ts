import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isConcreteScope, scopeMatches } from "../src/index.ts";

describe("scopeMatches (M39)", () => {
  it.each([
    ["graphs:read", "graphs:read", true],
    ["graphs:*", "graphs:read", true],
    ["graphs:*", "graphs:read:own", true],
    ["graphs:read:*", "graphs:read:own", true],
    ["*", "graphs:read", true],
    ["*", "graphs", true],
    ["graphs:*", "graphs", false],
    ["graphs:*", "graphs-archive:read", false],
    ["graphs*", "graphs:read", false],
    ["*:read", "graphs:read", false],
    ["graphs:*:own", "graphs:read:own", false],
    ["graphs", "graphs:read", false],
    ["graphs:read", "graphs", false],
    ["Graphs:read", "graphs:read", false],
    ["graphs:*", "graphs:", false],
    [":*", ":read", false],
    ["", "graphs:read", false],
    ["", "", false],
    ["graphs:read", "graphs:*", false],
    ["graphs:*", "graphs:*", false],
    ["*", "*", false],
  ])("%j held covers %j: %s", (held, required, expected) => {
    expect(scopeMatches(held, required)).toBe(expected);
  });

  const word = fc.stringMatching(/^[a-z0-9_.-]{1,8}$/);
  const scope = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(":"));

  it("covers exactly what is below the wildcard", () => {
    fc.assert(
      fc.property(scope, scope, (above, asked) => {
        expect(scopeMatches(`${above}:*`, asked)).toBe(asked.startsWith(`${above}:`));
        expect(scopeMatches(above, asked)).toBe(above === asked);
      }),
    );
  });
});

describe("isConcreteScope (M39)", () => {
  it.each(["", ":", "a:", ":a", "a::b", "a:*", "*", "a b", "a:b*", null, 1, undefined, ["a"]])(
    "refuses %j",
    (scope) => expect(isConcreteScope(scope)).toBe(false),
  );

  it.each(["a", "graphs:read", "a.b-c_d:e"])("takes %j", (scope) =>
    expect(isConcreteScope(scope)).toBe(true),
  );
});
