import { describe, expect, it } from "vitest";
import { type AccessControl, checkAccess, type Identity } from "../src/index.ts";

const identity = (scopes: string[], resources?: Record<string, string[]>): Identity =>
  resources === undefined ? { id: "ada", scopes } : { id: "ada", scopes, resources };

const onGraph: AccessControl = {
  requiredScopes: [],
  resourceType: "graph",
  resourceAction: "read",
  resourceIdFrom: "/graphId",
};

describe("checkAccess (M39)", () => {
  it.each<[string, AccessControl, Identity | undefined, unknown, boolean]>([
    ["nobody is let in where nothing is asked", { requiredScopes: [] }, undefined, {}, false],
    ["anybody known is, there", { requiredScopes: [] }, identity([]), {}, true],
    ["nobody is, where it is public", { requiredScopes: [], public: true }, undefined, {}, true],
    ["one scope of two", { requiredScopes: ["a:x", "a:y"] }, identity(["a:x"]), {}, false],
    ["both scopes", { requiredScopes: ["a:x", "a:y"] }, identity(["a:y", "a:x"]), {}, true],
    ["a wildcard for both", { requiredScopes: ["a:x", "a:y"] }, identity(["a:*"]), {}, true],
    [
      "none of any",
      { requiredScopes: [], requiredScopesAny: ["a", "b"] },
      identity(["c"]),
      {},
      false,
    ],
    [
      "one of any",
      { requiredScopes: [], requiredScopesAny: ["a", "b"] },
      identity(["b"]),
      {},
      true,
    ],
    [
      "one of any, but not the required one",
      { requiredScopes: ["x"], requiredScopesAny: ["a", "b"] },
      identity(["b"]),
      {},
      false,
    ],
    ["the resource", onGraph, identity([], { "graph:g1": ["read"] }), { graphId: "g1" }, true],
    ["another resource", onGraph, identity([], { "graph:g2": ["read"] }), { graphId: "g1" }, false],
    ["another action", onGraph, identity([], { "graph:g1": ["write"] }), { graphId: "g1" }, false],
    ["every resource", onGraph, identity([], { "graph:*": ["read"] }), { graphId: "g1" }, true],
    ["no resources at all", onGraph, identity([]), { graphId: "g1" }, false],
    ["no id in the input", onGraph, identity([], { "graph:g1": ["read"] }), {}, false],
    ["an empty id", onGraph, identity([], { "graph:": ["read"] }), { graphId: "" }, false],
    ["a number as id", onGraph, identity([], { "graph:1": ["read"] }), { graphId: 1 }, false],
    ["a list as id", onGraph, identity([], { "graph:g1": ["read"] }), { graphId: ["g1"] }, false],
    ["no input", onGraph, identity([], { "graph:g1": ["read"] }), null, false],
    [
      "an inherited id",
      onGraph,
      identity([], { "graph:g1": ["read"] }),
      Object.create({ graphId: "g1" }),
      false,
    ],
    [
      "an operation on all of a type, by somebody who has one",
      { requiredScopes: [], resourceType: "graph", resourceAction: "read" },
      identity([], { "graph:g1": ["read"] }),
      { graphId: "g1" },
      false,
    ],
  ])("%s", (_name, accessControl, caller, input, allowed) => {
    expect(checkAccess(accessControl, caller, input).allowed).toBe(allowed);
  });

  it("looks up nothing that every object inherits", () => {
    const access = { ...onGraph, resourceType: "__proto__", resourceIdFrom: "/id" };
    const decision = checkAccess(access, identity([], {}), { id: "constructor" });
    expect(decision.allowed).toBe(false);
  });

  it.each<[string, unknown]>([
    ["null", null],
    ["a text", "ada"],
    ["no id", { scopes: ["*"] }],
    ["an empty id", { id: "", scopes: ["*"] }],
    ["scopes as text", { id: "ada", scopes: "*" }],
    ["resources as a list", { id: "ada", scopes: [], resources: ["graph:*"] }],
    ["actions as text", { id: "ada", scopes: [], resources: { "graph:*": "read" } }],
  ])("grants nothing to what is no identity: %s", (_name, caller) => {
    const access: AccessControl = { ...onGraph, requiredScopes: [] };
    expect(checkAccess(access, caller as Identity, { graphId: "g1" }).allowed).toBe(false);
  });

  it("says what is missing", () => {
    expect(checkAccess({ requiredScopes: ["a:x", "b:y"] }, identity([]), {})).toEqual({
      allowed: false,
      reason: 'it needs scope "a:x" and "b:y"',
    });
  });
});
