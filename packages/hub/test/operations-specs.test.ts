import { type OperationSpec, operationId } from "@alkdev/operations";
import { describe, expect, it } from "vitest";
import { testCore } from "./operations-fixture.ts";

/** What the input of an operation leaves open. */
function* openPlaces(schema: Record<string, unknown>, path = ""): Generator<string> {
  const below = (key: string): Record<string, unknown>[] => (schema[key] as never) ?? [];
  for (const [index, part] of below("anyOf").entries()) yield* openPlaces(part, `${path}|${index}`);
  switch (schema["type"]) {
    case "object": {
      const patterns = schema["patternProperties"] as Record<string, never> | undefined;
      if (patterns === undefined && schema["additionalProperties"] !== false)
        yield `${path} is open`;
      const members = { ...(schema["properties"] as object), ...patterns };
      for (const [name, member] of Object.entries(members)) {
        yield* openPlaces(member as never, `${path}/${name}`);
      }
      return;
    }
    case "array":
      if (schema["maxItems"] === undefined) yield `${path} has no maxItems`;
      yield* openPlaces(schema["items"] as never, `${path}[]`);
      return;
    case "string": {
      const bound = schema["maxLength"] ?? schema["const"] ?? schema["pattern"];
      if (bound === undefined && !path.includes("headers")) yield `${path} has no maxLength`;
      return;
    }
    default:
  }
}

describe("M42: the operations of a hub", () => {
  const specs = (): { tenant: readonly OperationSpec[]; system: readonly OperationSpec[] } =>
    testCore().core.ownSpecs();

  it("take bounded inputs and nothing else", () => {
    const { tenant, system } = specs();
    const own = [...tenant, ...system].filter(({ tags }) => tags?.includes("hub"));
    expect(own.length).toBeGreaterThan(80);
    const open = own.flatMap((spec) =>
      Array.from(openPlaces(spec.inputSchema), (place) => `${operationId(spec)}${place}`),
    );
    expect(open).toEqual([]);
  });

  it("say what they do in a sentence, and declare the errors of the engine", () => {
    const { tenant, system } = specs();
    for (const spec of [...tenant, ...system].filter(({ tags }) => tags?.includes("hub"))) {
      expect(spec.description, operationId(spec)).toMatch(/^[A-Z].{20,}\.$/s);
      const codes = spec.errorSchemas?.map(({ code }) => code);
      expect(codes, operationId(spec)).toEqual(expect.arrayContaining(["BUSY", "STORAGE_FULL"]));
      for (const { httpStatus } of spec.errorSchemas ?? []) expect(httpStatus).toBeGreaterThan(399);
    }
  });

  it("of the system are for admins alone, but for two", async () => {
    const { core, as } = testCore();
    const owner = as("owner", null);
    const { items } = await owner.call("hub.operations", { callable: true });
    expect(items.map(({ id }: { id: string }) => id)).toEqual(["hub.operations", "hub.whoami"]);
    const { system } = core.ownSpecs();
    for (const spec of system.filter(({ type }) => type !== "subscription")) {
      const { code } = await owner.refused(operationId(spec), {});
      const open = ["hub.operations", "hub.whoami"].includes(operationId(spec));
      expect(code, operationId(spec)).toBe(open ? "none" : "ACCESS_DENIED");
    }
  });

  it("that write are refused to members", async () => {
    const { core, as } = testCore();
    const member = as("member");
    const { tenant } = core.ownSpecs();
    for (const spec of tenant.filter(({ type }) => type === "mutation")) {
      expect((await member.refused(operationId(spec), {})).code, operationId(spec)).toBe(
        "ACCESS_DENIED",
      );
    }
  });
});

describe("M42: hub.operations", () => {
  it("lists by id, page by page, what fits the filters", async () => {
    const member = testCore().as("member");
    const ids = ({ items }: { items: { id: string }[] }): string[] => items.map(({ id }) => id);
    const first = await member.call("hub.operations", { namespace: "queues", limit: 3 });
    expect(first.items).toHaveLength(3);
    const rest = await member.call("hub.operations", { namespace: "queues", cursor: first.cursor });
    const all = [...ids(first), ...ids(rest)];
    expect(all).toEqual([...all].sort());
    expect(all).toContain("queues.enqueue");
    expect(first.items[0]).toMatchObject({
      callable: false,
      type: expect.any(String),
      tags: ["hub"],
    });
    expect(first.items[0]).not.toHaveProperty("inputSchema");
    const one = await member.call("hub.operations", {
      ids: ["graphs.list", "nope"],
      schemas: true,
    });
    expect(one.items).toMatchObject([
      {
        id: "graphs.list",
        callable: true,
        scopes: ["graphs:read"],
        inputSchema: { type: "object", additionalProperties: false },
        errors: expect.arrayContaining([
          expect.objectContaining({ code: "BUSY", httpStatus: 503 }),
        ]),
      },
    ]);
    const found = await member.call("hub.operations", { search: "FENCING", type: "query" });
    expect(ids(found)).toEqual(["locks.list"]);
    const tables = await member.call("hub.operations", { tag: "table", callable: false });
    expect(ids(tables)).toContain("graphs.create");
    expect(ids(tables)).not.toContain("graphs.list");
  });

  it("shows an admin in an organisation what can be called in both realms", async () => {
    const { as } = testCore();
    const ask = { ids: ["tenants.list", "queues.list"], callable: true };
    const { items } = await as("root", "acme").call("hub.operations", ask);
    expect(items.map(({ id }: { id: string }) => id)).toEqual(["queues.list", "tenants.list"]);
    const other = await as("owner").call("hub.operations", ask);
    expect(other.items.map(({ id }: { id: string }) => id)).toEqual(["queues.list"]);
  });
});

describe("M42: hub.whoami and hub.status", () => {
  it("says who calls, in an organisation and in none", async () => {
    const { as } = testCore();
    const membership = { orgId: "acme", slug: "acme", name: "acme", level: "member" };
    expect(await as("member").call("hub.whoami")).toMatchObject({
      accountId: "member",
      accessLevel: "user",
      credential: { type: "api_key", scopes: null, orgId: null },
      orgId: "acme",
      scopes: expect.arrayContaining(["graphs:read", "streams:read"]),
      memberships: [membership],
    });
    const nowhere = await as("member", null).call("hub.whoami");
    expect(nowhere).toMatchObject({ orgId: null, scopes: [], memberships: [membership] });
    const root = await as("root").call("hub.whoami");
    expect(root).toMatchObject({ accessLevel: "admin", scopes: ["*"], memberships: [] });
  });

  it("says how the hub is, to admins", async () => {
    const { as } = testCore({ name: "hub-7" });
    await as("owner").call("hub.whoami");
    expect(await as("root").call("hub.status")).toMatchObject({
      name: "hub-7",
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      tenants: { inUse: 1, openFiles: 1, idleFiles: 0 },
      connections: { system: 0, tenants: 0 },
      accounts: 4,
      organizations: 2,
      closing: false,
    });
    expect((await as("owner", null).refused("hub.status")).code).toBe("ACCESS_DENIED");
  });

  it("is asked of the tenant's realm first, and of the system's where that has none", async () => {
    const { as } = testCore();
    expect((await as("root", "acme").call("hub.status")).organizations).toBe(2);
    expect((await as("owner").refused("hub.status")).code).toBe("ACCESS_DENIED");
    expect(await as("owner").call("spokes.list")).toEqual({ items: [] });
  });
});
