import { OperationRegistry } from "@alkdev/operations";
import { accountSpecs, apiKeySpecs, nodeSpecs, systemTables } from "@alkdev/storage/sqlite";
import { describe, expectTypeOf, it } from "vitest";

const registry = new OperationRegistry();
const [createAccount, findAccount, listAccounts, updateAccount, deleteAccount] = accountSpecs;
const [createKey, findKey] = apiKeySpecs;
const [createNode, , , updateNode] = nodeSpecs;

describe("types of the tables' operations (M32)", () => {
  it("are read off the columns", async () => {
    const { data: account } = await registry.execute(createAccount, { email: "a@x" });
    expectTypeOf(account.id).toEqualTypeOf<string>();
    expectTypeOf(account.createdAt).toEqualTypeOf<string>();
    expectTypeOf(account.displayName).toEqualTypeOf<string | null>();
    expectTypeOf(account.status).toEqualTypeOf<"active" | "suspended" | "deactivated">();
    const { data: found } = await registry.execute(findAccount, { email: "a@x" });
    expectTypeOf(found).toEqualTypeOf<typeof account | null>();
    const { data: page } = await registry.execute(listAccounts, {
      filter: { status: { in: ["active"] }, displayName: { isNull: true, like: "A%" } },
      sort: [{ column: "createdAt", direction: "desc" }],
    });
    expectTypeOf(page.items).toEqualTypeOf<readonly (typeof account)[]>();
    await registry.execute(updateAccount, { id: "a", changes: { displayName: null } });
    const { data: gone } = await registry.execute(deleteAccount, { id: "a" });
    expectTypeOf(gone).toEqualTypeOf<{ readonly deleted: boolean }>();
    expectTypeOf(createAccount.namespace).toEqualTypeOf<"accounts">();
  });

  it("know computed fields, and what create takes beside the columns", async () => {
    const input = { graphId: "g", key: "k", type: "task" };
    const { data: node } = await registry.execute(createNode, input);
    expectTypeOf(node.type).toEqualTypeOf<string | null>();
    expectTypeOf(node.revision).toEqualTypeOf<number>();
    await registry.execute(updateNode, { id: "n", changes: { attributes: {} }, ifRevision: 1 });
  });

  it("refuse what is not there", async () => {
    // @ts-expect-error email is missing
    void registry.execute(createAccount, {});
    // @ts-expect-error the store sets it
    void registry.execute(createAccount, { email: "a", createdAt: "" });
    // @ts-expect-error not a status
    void registry.execute(updateAccount, { id: "a", changes: { status: "gone" } });
    // @ts-expect-error no such column
    void registry.execute(listAccounts, { filter: { nothing: { eq: 1 } } });
    // @ts-expect-error JSON is not sorted by
    void registry.execute(listAccounts, { sort: [{ column: "metadata" }] });
    // @ts-expect-error not null in this column
    void registry.execute(listAccounts, { filter: { email: { isNull: true } } });
    // @ts-expect-error the type is missing
    void registry.execute(createNode, { graphId: "g", key: "k" });
    const { data: key } = await registry.execute(findKey, { id: "k" });
    // @ts-expect-error never read
    key?.keyHash;
    void registry.execute(createKey, { ownerId: "a", keyHash: "h" });
    expectTypeOf(systemTables[0]?.name).toEqualTypeOf<string | undefined>();
  });
});
