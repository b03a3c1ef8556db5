import { open } from "@alkdev/honker";
import {
  accounts,
  bulkTable,
  createSystemDatabase,
  insertOrganizationWithOwner,
  organizationMembers,
  organizations,
  type SystemDatabase,
} from "@alkdev/storage/sqlite";
import { tempDatabase, tempFolder } from "@alkdev/testkit";
import { eq } from "drizzle-orm";
import { describe, expect, it, onTestFinished } from "vitest";

const account = (id: string, email = `${id}@x`): (string | number | null)[] => [
  ...[id, "{}", 1, 2],
  ...[email, null, "user", "active"],
];
const ACME = ["acme", "{}", 10, 20, "Acme", "acme", "ada"];
const OWNER = ["m1", '{"a":1}', 30, 40, "acme", "ada", "owner"];

function systemDatabase(): SystemDatabase {
  return createSystemDatabase(tempDatabase());
}

describe("bulkTable (M38)", () => {
  it("inserts rows of any number and gives them back in pages by id", () => {
    const { $client } = systemDatabase();
    const bulk = bulkTable($client, accounts);
    const rows = Array.from({ length: 257 }, (_, n) => account(`id-${String(n).padStart(4, "0")}`));
    expect(bulk.insert(rows)).toEqual([]);
    const found = [];
    for (
      let page = bulk.page("", 100);
      page.length > 0;
      page = bulk.page(String(page.at(-1)?.[0]), 100)
    ) {
      found.push(...page);
    }
    expect(found).toEqual(rows);
  });

  it("says which rows a constraint refused, wherever they stand, and takes the others", () => {
    const { $client } = systemDatabase();
    const bulk = bulkTable($client, accounts);
    const rows = Array.from({ length: 300 }, (_, n) => account(`id-${n}`, `${n}@x`));
    for (const [index, other] of [
      [0, 1],
      [120, 5],
      [299, 7],
    ] as const) {
      rows[index] = account(`id-${index}`, `${other}@X`);
    }
    const refused = $client.transaction(() => bulk.insert(rows));
    // the first of two with one email is taken
    expect(refused.map(({ index }) => index)).toEqual([1, 120, 299]);
    expect(refused[0]?.error).toMatchObject({ code: "CONSTRAINT" });
    expect($client.rows("SELECT count(*) FROM accounts")).toEqual([[297]]);
  });

  it("goes with the transaction that is rolled back, and throws what is no refusal", () => {
    const { $client } = systemDatabase();
    const bulk = bulkTable($client, accounts);
    expect(() =>
      $client.transaction(() => {
        bulk.insert([account("a")]);
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(bulk.page("", 1)).toEqual([]);
    expect(() => bulk.insert([["too", "few"]])).toThrow();
    $client.close();
    expect(() => bulk.insert([account("a")])).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });
});

describe("insertOrganizationWithOwner (M38)", () => {
  it("keeps the owner's membership as it is given, and the rule of one owner", () => {
    const system = systemDatabase();
    const { $client } = system;
    bulkTable($client, accounts).insert([account("ada"), account("bob")]);
    expect(insertOrganizationWithOwner($client, { organization: ACME, owner: OWNER })).toBe(true);
    expect(bulkTable($client, organizationMembers).page("", 9)).toEqual([OWNER]);
    expect(bulkTable($client, organizations).page("", 9)).toEqual([ACME]);
    system.update(organizations).set({ ownerId: "bob" }).where(eq(organizations.id, "acme")).run();
    const levels = system.select().from(organizationMembers).all();
    expect(levels.map(({ accountId, membershipLevel }) => [accountId, membershipLevel])).toEqual(
      expect.arrayContaining([
        ["ada", "admin"],
        ["bob", "owner"],
      ]),
    );
  });

  it("writes nothing without the account, or when the organization is refused, and leaves the rest of the transaction", () => {
    const { $client } = systemDatabase();
    const members = bulkTable($client, organizationMembers);
    $client.transaction(() => {
      expect(insertOrganizationWithOwner($client, { organization: ACME, owner: OWNER })).toBe(
        false,
      );
      bulkTable($client, accounts).insert([account("ada")]);
      const organization = ACME.map((value) => (value === "acme" ? "Not A Slug" : value));
      expect(() => insertOrganizationWithOwner($client, { organization, owner: OWNER })).toThrow(
        expect.objectContaining({ code: "CONSTRAINT" }),
      );
    });
    expect(members.page("", 9)).toEqual([]);
    expect(bulkTable($client, accounts).page("", 9)).toHaveLength(1);
  });

  it("leaves a file that is whole when it is opened again", async () => {
    const path = `${tempFolder()}/system.db`;
    const client = open(path);
    createSystemDatabase(client);
    bulkTable(client, accounts).insert([account("ada")]);
    insertOrganizationWithOwner(client, { organization: ACME, owner: OWNER });
    client.close();
    const again = open(path);
    onTestFinished(() => again.close());
    expect((await again.integrityCheck()).ok).toBe(true);
  });
});
