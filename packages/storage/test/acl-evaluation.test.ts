import { checkAccess, type Identity, scopeMatches } from "@alkdev/operations";
import {
  type AclDelegation,
  type AclParts,
  type AclPermission,
  type AclPrincipal,
  aclView,
  effectiveIdentity,
  explainGrants,
  type PrincipalKey,
  type ResourceActions,
} from "@alkdev/storage/graphs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const NOW = 100;

interface Graph {
  readonly principals: readonly AclPrincipal[];
  readonly delegations: readonly AclDelegation[];
  readonly permissions: readonly AclPermission[];
}

const SCOPES = ["*", "a:*", "a:b:*", "a", "b", "a:b", "a:c", "a:b:c", "b:*"];
/** Everything that can be asked for: named by some grant, or only by its wildcards. */
const ASKED = ["a", "b", "z", "a:b", "a:c", "a:z", "a:b:c", "a:b:z", "b:z"];
const RESOURCES = ["doc:*", "doc:1", "doc:1:2", "bin:1", "bin:*"];
const ASKED_RESOURCES = ["doc:1", "doc:2", "doc:1:2", "bin:1", "bin:z"];
const ACTIONS = ["read", "write"];

const scopes = fc.uniqueArray(fc.constantFrom(...SCOPES), { maxLength: 4 });
const resources = fc.dictionary(
  fc.constantFrom(...RESOURCES),
  fc.uniqueArray(fc.constantFrom(...ACTIONS), { minLength: 1 }),
  { maxKeys: 3 },
);
const expiresAt = fc.oneof(
  { weight: 6, arbitrary: fc.constant(null) },
  fc.constantFrom(NOW - 1, NOW, NOW + 1),
);

function principalOf(index: number): fc.Arbitrary<AclPrincipal> {
  return fc.record({ scopes, resources, expiresAt }).map((rest) => ({
    key: keyOf(index),
    identityType: "role",
    identityId: String(index),
    ...rest,
  }));
}

const keyOf = (index: number): PrincipalKey => `role:${index}`;

function graphs(options: { readonly circles: boolean }): fc.Arbitrary<Graph> {
  return fc.integer({ min: 2, max: 6 }).chain((count) => {
    const node = fc.nat(count - 1);
    const ends = fc
      .tuple(node, node)
      .filter(([source, target]) => source !== target)
      .map(([one, other]) =>
        options.circles ? [one, other] : [Math.min(one, other), Math.max(one, other)],
      );
    const delegation = fc
      .record({
        ends,
        narrowedScopes: scopes,
        narrowedResources: resources,
        narrowable: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
        expiresAt,
      })
      .map(({ ends: [source = 0, target = 0], ...rest }) => ({
        source: keyOf(source),
        target: keyOf(target),
        ...rest,
      }));
    const permission = fc.record({
      principal: node.map(keyOf),
      resource: fc.constantFrom(...RESOURCES),
      actions: fc.uniqueArray(fc.constantFrom(...ACTIONS), { minLength: 1 }),
      expiresAt,
    });
    return fc.record({
      principals: fc.tuple(...Array.from({ length: count }, (_, index) => principalOf(index))),
      delegations: fc.uniqueArray(delegation, {
        maxLength: 12,
        selector: ({ source, target }) => `${source} ${target}`,
      }),
      permissions: fc.array(permission, { maxLength: 4 }),
    });
  });
}

const acyclic = graphs({ circles: false });
const any = graphs({ circles: true });

function identityIn(graph: AclParts, key: string, now = NOW): Identity {
  const identity = effectiveIdentity(aclView(graph), key, now);
  if (identity === null) throw new Error(`no principal ${key}`);
  return identity;
}

/** What can be asked for and is granted: the meaning of an identity, however it is written. */
function meaning(identity: Identity): Set<string> {
  const granted = new Set<string>();
  for (const scope of ASKED) {
    if (checkAccess({ requiredScopes: [scope] }, identity, null).allowed) granted.add(scope);
  }
  for (const resource of ASKED_RESOURCES) {
    for (const resourceAction of ACTIONS) {
      const colon = resource.indexOf(":");
      const control = {
        requiredScopes: [],
        resourceType: resource.slice(0, colon),
        resourceAction,
        resourceIdFrom: "/id",
      };
      const { allowed } = checkAccess(control, identity, { id: resource.slice(colon + 1) });
      if (allowed) granted.add(`${resourceAction} on ${resource}`);
    }
  }
  return granted;
}

const allMeanings = (graph: AclParts): Map<string, Set<string>> =>
  new Map([...graph.principals].map(({ key }) => [key, meaning(identityIn(graph, key))]));

const inForce = (item: { readonly expiresAt: number | null }): boolean =>
  item.expiresAt === null || item.expiresAt > NOW;

/** The definition, by brute force: over every simple path, what its root holds and each step lets through. */
function bruteForce(graph: Graph, target: string): Set<string> {
  const granted = new Set<string>();
  const walk = (key: string, below: readonly AclDelegation[]): void => {
    const principal = graph.principals.find((one) => one.key === key);
    if (principal === undefined || !inForce(principal)) return;
    const permitted = graph.permissions.filter((one) => one.principal === key && inForce(one));
    const own = [
      { scopes: principal.scopes, resources: principal.resources },
      ...permitted.map((one) => ({ scopes: [], resources: { [one.resource]: one.actions } })),
    ];
    const steps = below.map((one) => ({
      scopes: one.narrowedScopes,
      resources: one.narrowedResources,
    }));
    for (const root of own) {
      const held = [root, ...steps].map((one) => meaning({ id: "x", ...one }));
      for (const asked of held[0] ?? []) {
        if (held.every((step) => step.has(asked))) granted.add(asked);
      }
    }
    for (const delegation of graph.delegations) {
      const onPath = below.some((one) => one.target === delegation.source);
      if (delegation.target !== key || !inForce(delegation) || onPath) continue;
      if (delegation.source === target || (below.length > 0 && !delegation.narrowable)) continue;
      walk(delegation.source, [delegation, ...below]);
    }
  };
  walk(target, []);
  return granted;
}

const isSubset = (part: Set<string>, whole: Set<string>): boolean =>
  [...part].every((item) => whole.has(item));

describe("effective identities (M31)", () => {
  it.each([
    ["without circles", acyclic],
    ["with circles that foreign writers made", any],
  ])("are the union over all simple paths of the intersection along each, %s", (_, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (graph) => {
        for (const { key } of graph.principals) {
          expect(meaning(identityIn(graph, key))).toEqual(bruteForce(graph, key));
        }
      }),
      { numRuns: 500 },
    );
  });

  it("hold nothing that another of their own scopes or actions includes", () => {
    fc.assert(
      fc.property(any, (graph) => {
        for (const { key } of graph.principals) {
          const { scopes: held, resources: actions = {} } = identityIn(graph, key);
          for (const scope of held) {
            const sample = scope.replace("*", "sample");
            const others = held.filter((other) => other !== scope);
            expect(others.some((other) => scopeMatches(other, sample))).toBe(false);
          }
          for (const [resource, of] of Object.entries(actions)) {
            const wildcard = `${resource.slice(0, resource.indexOf(":"))}:*`;
            if (wildcard === resource) continue;
            for (const action of of) expect(actions[wildcard] ?? []).not.toContain(action);
          }
        }
      }),
    );
  });

  it("never exceed what somebody above holds of their own", () => {
    fc.assert(
      fc.property(any, (graph) => {
        const everything = new Set<string>();
        for (const { key } of graph.principals) {
          const alone = { ...graph, delegations: [] };
          for (const asked of meaning(identityIn(alone, key))) everything.add(asked);
        }
        for (const granted of allMeanings(graph).values()) {
          expect(isSubset(granted, everything)).toBe(true);
        }
      }),
    );
  });

  it("grow or stay when a delegation is added, and shrink or stay when one is revoked", () => {
    fc.assert(
      fc.property(any, fc.nat(), (graph, pick) => {
        fc.pre(graph.delegations.length > 0);
        const gone = pick % graph.delegations.length;
        const less = { ...graph, delegations: graph.delegations.filter((_, at) => at !== gone) };
        const before = allMeanings(less);
        for (const [key, granted] of allMeanings(graph)) {
          expect(isSubset(before.get(key) as Set<string>, granted)).toBe(true);
        }
      }),
    );
  });

  it("do not depend on the order of principals, delegations and permissions", () => {
    const shuffled = any.chain((graph) =>
      fc.record({
        graph: fc.constant(graph),
        other: fc.record({
          principals: fc.shuffledSubarray([...graph.principals], full(graph.principals)),
          delegations: fc.shuffledSubarray([...graph.delegations], full(graph.delegations)),
          permissions: fc.shuffledSubarray([...graph.permissions], full(graph.permissions)),
        }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ graph, other }) => {
        for (const { key } of graph.principals) {
          expect(identityIn(other, key)).toEqual(identityIn(graph, key));
        }
      }),
    );
  });

  it("are explained by paths whose union they are", () => {
    fc.assert(
      fc.property(any, (graph) => {
        for (const { key } of graph.principals) {
          const identity = identityIn(graph, key);
          const explained = explainGrants(aclView(graph), key, { now: NOW, maxPaths: 1_000 }) ?? [];
          const union = new Set<string>();
          for (const { grant, paths, complete } of explained) {
            expect(complete).toBe(true);
            expect(paths.length).toBeGreaterThan(0);
            const granted = meaning(identityOfGrant(grant));
            for (const path of paths) {
              // alone, the path gives the grant
              const alone = { ...graph, delegations: path.delegations };
              expect(path.delegations.at(-1)?.target ?? path.root).toBe(key);
              expect(isSubset(granted, meaning(identityIn(alone, key)))).toBe(true);
            }
            for (const asked of granted) union.add(asked);
          }
          expect(union).toEqual(meaning(identity));
        }
      }),
    );
  });
});

function full(items: readonly unknown[]): { minLength: number } {
  return { minLength: items.length };
}

function identityOfGrant(
  grant: { readonly scope: string } | { readonly resource: string; readonly action: string },
): Identity {
  if ("scope" in grant) return { id: "x", scopes: [grant.scope] };
  return { id: "x", scopes: [], resources: { [grant.resource]: [grant.action] } };
}

function principal(key: PrincipalKey, held: readonly string[] = [], of: ResourceActions = {}) {
  const [identityType, identityId] = key.split(":") as [AclPrincipal["identityType"], string];
  return { key, identityType, identityId, scopes: held, resources: of, expiresAt: null };
}

function delegation(
  source: PrincipalKey,
  target: PrincipalKey,
  rest: Partial<AclDelegation> = {},
): AclDelegation {
  const defaults = { narrowedResources: {}, narrowable: true, expiresAt: null };
  return { source, target, narrowedScopes: ["*"], ...defaults, ...rest };
}

describe("evaluation (M31)", () => {
  it("of forty diamonds in a row takes as many steps as there are edges, not 2^40", () => {
    const principals = [principal("role:0", ["graphs:*"])];
    const delegations: AclDelegation[] = [];
    for (let i = 0; i < 40; i++) {
      const [top, left, right, bottom]: PrincipalKey[] = [
        `role:${i}`,
        `role:${i}-left`,
        `role:${i}-right`,
        `role:${i + 1}`,
      ] as const;
      principals.push(principal(left), principal(right), principal(bottom));
      delegations.push(delegation(top, left), delegation(top, right));
      delegations.push(delegation(left, bottom), delegation(right, bottom));
    }
    const view = aclView({ principals, delegations, permissions: [] });
    expect(effectiveIdentity(view, "role:40", NOW)).toEqual({ id: "40", scopes: ["graphs:*"] });
    const [explained] = explainGrants(view, "role:40", { now: NOW, maxPaths: 3 }) ?? [];
    expect(explained?.complete).toBe(false);
    expect(explained?.paths.map(({ delegations: steps }) => steps.length)).toEqual([80, 80, 80]);
  });

  it("of a chain of 20,000 does not run out of stack", () => {
    const keys = Array.from({ length: 20_001 }, (_, index): PrincipalKey => `role:${index}`);
    const view = aclView({
      principals: keys.map((key) => principal(key, key === "role:0" ? ["a"] : [])),
      delegations: keys.slice(1).map((key, index) => delegation(`role:${index}`, key)),
      permissions: [],
    });
    expect(effectiveIdentity(view, "role:20000", NOW)?.scopes).toEqual(["a"]);
  });

  it.each<[string, Partial<AclDelegation>, readonly string[]]>([
    ["the narrower of two wildcards", { narrowedScopes: ["a:b:*"] }, ["a:b:*"]],
    ["a scope below a wildcard", { narrowedScopes: ["a:b"] }, ["a:b"]],
    ["nothing of a wildcard's own name", { narrowedScopes: ["a"] }, []],
    ["nothing of a longer name that begins alike", { narrowedScopes: ["ab:c"] }, []],
    ["all, where everything is let through", { narrowedScopes: ["*"] }, ["a:*"]],
    ["nothing from its last moment on", { expiresAt: NOW }, []],
    ["all until then", { expiresAt: NOW + 1 }, ["a:*"]],
    ["nothing where nothing is let through", { narrowedScopes: [] }, []],
  ])("lets through %s", (_, rest, expected) => {
    const parts = {
      principals: [principal("role:0", ["a:*"]), principal("role:1")],
      delegations: [delegation("role:0", "role:1", rest)],
      permissions: [],
    };
    expect(identityIn(parts, "role:1").scopes).toEqual(expected);
  });

  it("passes resources on only as far as they are named", () => {
    const parts = {
      principals: [
        principal("role:0", [], { "graph:*": ["read", "write"], "doc:1": ["read"] }),
        principal("role:1"),
        principal("role:2"),
      ],
      delegations: [
        delegation("role:0", "role:1"),
        delegation("role:0", "role:2", {
          narrowedResources: { "graph:g1": ["read", "delete"], "doc:*": ["read"] },
        }),
      ],
      permissions: [],
    };
    expect(identityIn(parts, "role:1")).toEqual({ id: "1", scopes: [] });
    expect(identityIn(parts, "role:2").resources).toEqual({
      "doc:1": ["read"],
      "graph:g1": ["read"],
    });
  });

  it("says when the answer may change", () => {
    const parts = {
      principals: [principal("role:0", ["a"]), principal("role:1")],
      delegations: [delegation("role:0", "role:1", { expiresAt: NOW + 5 })],
      permissions: [],
    };
    expect(identityIn(parts, "role:1", NOW + 4).scopes).toEqual(["a"]);
    expect(identityIn(parts, "role:1", NOW + 5).scopes).toEqual([]);
  });

  it("of somebody who is not there is null", () => {
    const view = aclView({ principals: [], delegations: [], permissions: [] });
    expect(effectiveIdentity(view, "role:0", NOW)).toBeNull();
    expect(explainGrants(view, "role:0", { now: NOW })).toBeNull();
  });

  it("treats names that every object inherits as names", () => {
    const parts = {
      principals: [
        principal("role:0", ["constructor"], { "__proto__:x": ["toString"] }),
        principal("role:1"),
      ],
      delegations: [
        delegation("role:0", "role:1", { narrowedResources: { "__proto__:*": ["toString"] } }),
      ],
      permissions: [],
    };
    expect(identityIn(parts, "role:1")).toEqual({
      id: "1",
      scopes: ["constructor"],
      resources: { "__proto__:x": ["toString"] },
    });
  });
});
