import { open } from "@alkdev/honker";
import { createKeptValues, createTenantDatabase } from "@alkdev/storage/sqlite";
import { tempFolder } from "@alkdev/testkit";
import { expect, it } from "vitest";

it("keeps values by kind and name across openings, in the transaction that is open (M43)", () => {
  const path = `${tempFolder()}/spoke.db`;
  const client = open(path);
  createTenantDatabase(client);
  const offsets = createKeptValues(client, "offsets");
  const spokes = createKeptValues(client, "offsets-of-others");
  expect(offsets.get("a:")).toBeNull();
  offsets.set("a:", 2 ** 53 - 1);
  offsets.set("a:", { n: [1, null, "ü"] });
  offsets.set("", 0);
  spokes.set("a:", "other");
  expect(() =>
    client.transaction(() => {
      offsets.set("a:", "rolled back");
      throw new Error("no");
    }),
  ).toThrow("no");
  client.close();

  const again = open(path);
  const reopened = createKeptValues(again, "offsets");
  expect(reopened.list()).toEqual([
    { name: "", value: 0 },
    { name: "a:", value: { n: [1, null, "ü"] } },
  ]);
  expect(reopened.delete("a:")).toBe(true);
  expect(reopened.delete("a:")).toBe(false);
  expect(createKeptValues(again, "offsets-of-others").get("a:")).toBe("other");
  again.close();
});

it("refuses what JSON cannot hold, and kinds that could meet (M43)", () => {
  using client = open(`${tempFolder()}/spoke.db`);
  createTenantDatabase(client);
  const values = createKeptValues(client, "x");
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  for (const bad of [undefined, () => 1, 1n, cycle]) {
    expect(() => values.set("bad", bad)).toThrow(/cannot be kept as JSON/);
  }
  expect(() => createKeptValues(client, "a:b")).toThrow(/kind of kept values/);
});
