import { CallGraph, defineModule, graphConfig, nodeAttributes } from "@alkdev/storage/graphs";
import { createTenantDatabase, readGraphType, registerGraphType } from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { type TProperties, Type } from "@sinclair/typebox";
import { describe, expect, test } from "vitest";

const failsWith = (code: string) => expect.objectContaining({ code });

const notes = (properties: TProperties, version = 2) =>
  defineModule(
    { name: "note_graph", version },
    { Config: graphConfig({}), NoteNode: nodeAttributes(properties) },
  );
const narrow = notes({ text: Type.String() });
const wide = notes({ text: Type.String(), mark: Type.Optional(Type.String()) });

describe("graph types: registering (M30)", () => {
  test("a Module is stored once, for the organisation unless said otherwise", () => {
    const db = createTenantDatabase(tempDatabase());
    const stored = registerGraphType(db, narrow);
    expect(stored).toMatchObject({
      scope: "tenant",
      graphType: { name: "note_graph", version: 2 },
    });
    expect(registerGraphType(db, narrow)).toEqual(stored);
    expect(readGraphType(db.$client, { id: stored.id })).toEqual(stored);
    expect(readGraphType(db.$client, { name: "none" })).toBeNull();
  });

  test("an additive change is written, its scope and id stay", () => {
    const db = createTenantDatabase(tempDatabase());
    const { id } = registerGraphType(db, narrow, { scope: "user" });
    expect(registerGraphType(db, wide)).toMatchObject({ id, scope: "user" });
    expect(JSON.stringify(readGraphType(db.$client, { id })?.nodeTypes)).toContain("mark");
  });

  test.each([
    ["a breaking change", () => narrow],
    ["a higher version", () => notes({ text: Type.String() }, 4)],
    [
      "a lower version",
      () => notes({ text: Type.String(), mark: Type.Optional(Type.String()) }, 0),
    ],
  ])("%s is refused, and nothing is written", (_what, module) => {
    const db = createTenantDatabase(tempDatabase());
    const stored = registerGraphType(db, wide);
    expect(() => registerGraphType(db, module())).toThrow(
      /BREAKING_CHANGE|breaking|version|migrat|evolve/i,
    );
    expect(readGraphType(db.$client, { id: stored.id })).toEqual(stored);
  });

  test("the name of a system graph type, and its scope, are refused", () => {
    const db = createTenantDatabase(tempDatabase());
    expect(() => registerGraphType(db, CallGraph)).toThrow(failsWith("READ_ONLY"));
    expect(() => registerGraphType(db, narrow, { scope: "system" as never })).toThrow(
      failsWith("INVALID_ARGUMENT"),
    );
    expect(() => registerGraphType(db, {} as never)).toThrow(failsWith("INVALID_MODULE"));
  });

  test("it belongs to the transaction it is called in", () => {
    const db = createTenantDatabase(tempDatabase());
    expect(() =>
      db.transaction(() => {
        registerGraphType(db, narrow);
        throw new Error("undo");
      }),
    ).toThrow("undo");
    expect(readGraphType(db.$client, { name: "note_graph" })).toBeNull();
  });
});
