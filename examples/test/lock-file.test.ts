import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "@alkdev/testkit";
import { describe, expect, test } from "vitest";
import { type LockFile, readLockFile } from "../package-graph/lock-file/lock-file.ts";
import { recount } from "../package-graph/recount.ts";

const fixture = (name: string): string =>
  new URL(`../../e2e/fixtures/${name}.json`, import.meta.url).pathname;

/** Reads `content` as a lock file. */
function read(content: unknown): LockFile {
  const path = join(tempFolder(), "package-lock.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return readLockFile(path);
}

const edgesOf = ({ graph }: LockFile): string[] =>
  graph.dependencies.map(({ from, name, to }) => `${from} > ${name} > ${to}`).sort();
const missingOf = ({ graph }: LockFile): string[] =>
  graph.missing.map(({ from, name, kind }) => `${from} > ${name} (${kind})`).sort();

describe("refuses what is not a lock file, and says why", () => {
  test.each([
    ["an empty file", "", /is empty/],
    ["white space", " \n ", /is empty/],
    ["text", "lockfileVersion: 6.0", /is not JSON/],
    ["half a file", '{"lockfileVersion": 3, "packages": {', /is not JSON/],
    ["null", "null", /the file should be a JSON object/],
    ["a list", "[]", /the file should be a JSON object/],
    ["a package.json", { name: "x", version: "1.0.0" }, /has no "lockfileVersion"/],
    ["an unknown version", { lockfileVersion: 4, packages: {} }, /"lockfileVersion" is 4/],
    ["a version as text", { lockfileVersion: "3", packages: {} }, /"lockfileVersion" is "3"/],
    ["no packages", { lockfileVersion: 3 }, /packages should be a JSON object/],
    ["empty packages", { lockfileVersion: 3, packages: {} }, /"packages" lists nothing/],
    [
      "packages as a list",
      { lockfileVersion: 3, packages: [] },
      /packages should be a JSON object/,
    ],
    [
      "an entry that is null",
      { lockfileVersion: 3, packages: { "": null } },
      /packages\[""\] should be/,
    ],
    [
      "dependencies as a list",
      { lockfileVersion: 3, packages: { "": { dependencies: ["a"] } } },
      /packages\[""\]\.dependencies should be/,
    ],
    [
      "a link to nowhere",
      { lockfileVersion: 3, packages: { "node_modules/a": { link: true } } },
      /is a link without "resolved"/,
    ],
    [
      "version 1 with a list",
      { lockfileVersion: 1, dependencies: [] },
      /dependencies of "" should be/,
    ],
    [
      "version 1 with a text",
      { lockfileVersion: 1, dependencies: { a: "1" } },
      /should be a JSON object/,
    ],
  ])("%s", (_what, content, message) => {
    expect(() => read(content)).toThrow(expect.objectContaining({ name: "LockFileError" }));
    expect(() => read(content)).toThrow(message);
  });

  test("a missing file, a folder, a path through a file", () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "file"), "{}");
    expect(() => readLockFile(join(folder, "none.json"))).toThrow(/there is no file/);
    expect(() => readLockFile(join(folder, "sub"))).toThrow(/is a directory/);
    expect(() => readLockFile(join(folder, "file", "x"))).toThrow(/there is no file/);
    expect(() => readLockFile("/dev/null")).toThrow(/not a regular file/);
  });
});

describe("version 3: finds what Node would load", () => {
  const lock = readLockFile(fixture("v3-hard"));

  test("a package is a place: scoped, aliased, bundled, from git, several versions", () => {
    const rows = lock.graph.packages.map((p) => `${p.location} ${p.name}@${p.version} ${p.kind}`);
    expect(rows).toHaveLength(25);
    expect(lock.graph.links).toBe(5);
    expect(rows).toEqual(
      expect.arrayContaining([
        ". hard-cases@1.0.0 project",
        "packages/app app@1.0.0 workspace",
        "packages/lib lib@1.0.0 workspace",
        "libs/local local@0.0.1 workspace",
        "node_modules/lodash-four lodash@4.17.21 installed",
        "node_modules/a a@1.0.0 installed",
        "packages/app/node_modules/a a@2.0.0 installed",
        "node_modules/@scope/pkg/node_modules/@other/x @other/x@2.0.0 installed",
        "node_modules/bundle/node_modules/inner inner@1.0.0 installed",
        // linked to a folder that the file does not describe
        "node_modules/gone gone@null installed",
      ]),
    );
  });

  test("every edge", () => {
    expect(edgesOf(lock)).toEqual([
      ". > @scope/pkg > node_modules/@scope/pkg",
      ". > a > node_modules/a",
      ". > app > packages/app",
      ". > both > node_modules/both",
      ". > constructor > node_modules/constructor",
      ". > dev-tool > node_modules/dev-tool",
      ". > from-git > node_modules/from-git",
      ". > gone > node_modules/gone",
      // linked to itself
      ". > hard-cases > .",
      ". > local > libs/local",
      ". > lodash-four > node_modules/lodash-four",
      ". > outside > ../outside",
      ". > selfish > node_modules/selfish",
      // the project is not above a folder beside it
      "../outside > above > ../node_modules/above",
      "../outside > own-dev > ../outside/node_modules/own-dev",
      "libs/local > a > node_modules/a",
      "node_modules/@scope/pkg > @other/x > node_modules/@scope/pkg/node_modules/@other/x",
      "node_modules/@scope/pkg > a > node_modules/a",
      "node_modules/@scope/pkg/node_modules/@other/x > @scope/pkg > node_modules/@scope/pkg",
      "node_modules/@scope/pkg/node_modules/@other/x > bundle > node_modules/bundle",
      "node_modules/a > b > node_modules/a/node_modules/b",
      "node_modules/a > c > node_modules/c",
      // a cycle, and the nearest of two versions
      "node_modules/a/node_modules/b > a > node_modules/a",
      "node_modules/a/node_modules/b > c > node_modules/a/node_modules/b/node_modules/c",
      "node_modules/bundle > inner > node_modules/bundle/node_modules/inner",
      "node_modules/dev-tool > a > node_modules/a",
      "node_modules/selfish > selfish > node_modules/selfish",
      "packages/app > a > packages/app/node_modules/a",
      "packages/app > dev-tool > node_modules/dev-tool",
      "packages/app > lib > packages/lib",
      "packages/app/node_modules/a > b > node_modules/b",
      "packages/lib > app > packages/app",
    ]);
  });

  test("what is declared and not installed, by kind", () => {
    expect(missingOf(lock)).toEqual([
      ". > host (peer)",
      ". > maybe-host (optional peer)",
      ". > not-there (prod)",
      ". > other-platform (optional)",
      "../outside > a (prod)",
      // no package of Object.prototype
      "node_modules/constructor > toString (prod)",
      "node_modules/dev-tool > host (peer)",
    ]);
  });

  test("a name that is listed twice is one edge: dev over peer, optional over prod", () => {
    const kinds = lock.graph.dependencies
      .filter(({ from, name }) => from === "." && ["dev-tool", "both"].includes(name))
      .map(({ name, kind }) => `${name} ${kind}`);
    expect(kinds.sort()).toEqual(["both optional", "dev-tool dev"]);
  });
});

test("version 2: the packages count, not the old form beside them", () => {
  const lock = readLockFile(fixture("v2-both-forms"));
  expect(edgesOf(lock)).toEqual([
    ". > left > node_modules/left",
    "node_modules/left > right > node_modules/right",
    "node_modules/right > left > node_modules/left",
  ]);
});

test("version 1: nested dependencies", () => {
  const lock = readLockFile(fixture("v1-nested"));
  expect(lock.graph.packages.map(({ location }) => location)).toHaveLength(10);
  expect(edgesOf(lock)).toEqual([
    "node_modules/@scope/tool > shared > node_modules/@scope/tool/node_modules/shared",
    "node_modules/@scope/tool/node_modules/shared > leaf > node_modules/leaf",
    "node_modules/@scope/tool/node_modules/shared > shared > node_modules/@scope/tool/node_modules/shared",
    "node_modules/bundle > inner > node_modules/bundle/node_modules/inner",
    "node_modules/bundle/node_modules/inner > bundle > node_modules/bundle",
    "node_modules/shared > leaf > node_modules/leaf",
  ]);
  expect(missingOf(lock)).toEqual(["node_modules/@scope/tool > not-there (prod)"]);
});

test("an empty project of each version is one package", () => {
  for (const content of [
    { lockfileVersion: 1 },
    { lockfileVersion: 2, packages: { "": {} }, dependencies: {} },
    { lockfileVersion: 3, packages: { "": {} } },
  ]) {
    expect(read(content).graph.packages).toMatchObject([{ location: ".", kind: "project" }]);
  }
});

test("a byte order mark does not matter", () => {
  expect(
    read('\uFEFF{"lockfileVersion":3,"packages":{"":{"name":"bom"}}}').graph.packages,
  ).toHaveLength(1);
});

test("a package named __proto__ is a package", () => {
  const lock = read(
    '{"lockfileVersion":3,"packages":{"":{"dependencies":{"__proto__":"1"}},"node_modules/__proto__":{}}}',
  );
  expect(edgesOf(lock)).toEqual([". > __proto__ > node_modules/__proto__"]);
});

test.each(["v3-hard", "v2-both-forms", "v1-nested", "../../package-lock"])(
  "%s: the second count, by other means, finds the same",
  (name) => {
    const { graph, json } = readLockFile(fixture(name));
    const counted = recount(json);
    expect([...counted.nodes].sort()).toEqual(
      graph.packages.map(({ location }) => location).sort(),
    );
    expect([...counted.edges].sort()).toEqual(
      graph.dependencies.map(({ from, name: as, to }) => `${from}>${as}>${to}`).sort(),
    );
  },
);
