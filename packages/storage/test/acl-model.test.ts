import { StorageError } from "@alkdev/storage";
import {
  type AclDelegation,
  type AclPermission,
  type AclPrincipal,
  aclView,
  effectiveIdentity,
  explainGrants,
  type PrincipalKey,
} from "@alkdev/storage/graphs";
import { type Acl, createAcl, createTenantDatabase } from "@alkdev/storage/sqlite";
import { FakeClock, tempDatabase } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const KEYS: readonly PrincipalKey[] = ["account:a", "service:b", "role:c", "org:d"];
const RESOURCES = ["doc:1", "doc:*"];

/** What the file should hold; evaluated by the part that knows no database. */
class Model {
  readonly principals = new Map<PrincipalKey, AclPrincipal>();
  readonly delegations = new Map<string, AclDelegation>();
  readonly permissions = new Map<string, AclPermission>();

  copy(): Model {
    const copy = new Model();
    for (const [key, one] of this.principals) copy.principals.set(key, one);
    for (const [key, one] of this.delegations) copy.delegations.set(key, one);
    for (const [key, one] of this.permissions) copy.permissions.set(key, one);
    return copy;
  }

  view() {
    return aclView({
      principals: this.principals.values(),
      delegations: this.delegations.values(),
      permissions: this.permissions.values(),
    });
  }

  remove(key: PrincipalKey): void {
    this.principals.delete(key);
    for (const [name, { source, target }] of this.delegations) {
      if (source === key || target === key) this.delegations.delete(name);
    }
    for (const [name, { principal }] of this.permissions) {
      if (principal === key) this.permissions.delete(name);
    }
  }
}

/** Does the same to both; the model believes what the ACL answers. */
type Step = (acl: Acl, model: Model, now: number) => void;

const key = fc.constantFrom(...KEYS);
const scopes = fc.uniqueArray(fc.constantFrom("*", "a:*", "a:b", "a:c", "d"), { maxLength: 3 });
const after = fc.option(fc.integer({ min: 1, max: 5 }), { freq: 3 });
const resource = fc.constantFrom(...RESOURCES);
const actions = fc.constantFrom(["read"], ["read", "write"]);

const until = (now: number, ms: number | null) => (ms === null ? {} : { expiresAt: now + ms });

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(key, scopes, after).map(([principal, held, ms]): Step => {
    return (acl, model, now) => {
      const input = { scopes: held, ...until(now, ms) };
      model.principals.set(principal, acl.putPrincipal(principal, input));
    };
  }),
  fc.tuple(key, scopes).map(([principal, added]): Step => {
    return (acl, model) => model.principals.set(principal, acl.grantScopes(principal, added));
  }),
  fc.tuple(key, scopes).map(([principal, taken]): Step => {
    return (acl, model) => model.principals.set(principal, acl.revokeScopes(principal, taken));
  }),
  key.map((principal): Step => {
    return (acl, model) => {
      expect(acl.removePrincipal(principal)).toBe(model.principals.has(principal));
      model.remove(principal);
    };
  }),
  fc.tuple(key, resource, actions, after).map(([principal, on, may, ms]): Step => {
    return (acl, model, now) => {
      const permission = acl.permit(principal, { resource: on, actions: may, ...until(now, ms) });
      model.permissions.set(`${principal} ${on}`, permission);
    };
  }),
  fc.tuple(key, resource).map(([principal, on]): Step => {
    return (acl, model) => {
      expect(acl.forbid(principal, on)).toBe(model.permissions.delete(`${principal} ${on}`));
    };
  }),
  fc
    .record({
      ends: fc.tuple(key, key),
      narrowedScopes: scopes,
      on: fc.option(resource),
      narrowable: fc.boolean(),
      allowUnheld: fc.boolean(),
      ms: after,
    })
    .map(({ ends: [source, target], on, ms, ...terms }): Step => {
      return (acl, model, now) => {
        const narrowedResources = on === null ? {} : { [on]: ["read"] };
        const input = { ...terms, narrowedResources, ...until(now, ms) };
        model.delegations.set(`${source} ${target}`, acl.delegate(source, target, input));
      };
    }),
  fc.tuple(key, key).map(([source, target]): Step => {
    return (acl, model) => {
      expect(acl.revoke(source, target)).toBe(model.delegations.delete(`${source} ${target}`));
    };
  }),
);

/** How a step ends: its transaction is undone, or time passes after it. */
const course = fc.record({
  step: steps,
  undone: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  looks: fc.boolean(),
  passesMs: fc.constantFrom(0, 0, 1, 3, -2),
});

const undo = new Error("undone");

function orRefused(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof StorageError) && error !== undo) throw error;
  }
}

describe("an ACL and its model (M31)", () => {
  it("agree after every step, whatever was refused, undone or has expired, in every handle", () => {
    fc.assert(
      fc.property(fc.array(course, { maxLength: 25 }), (courses) => {
        const tenant = createTenantDatabase(tempDatabase());
        const clock = new FakeClock(1_000_000);
        const acl = createAcl(tenant, { clock, maxAgeSeconds: 1_000 });
        const other = createAcl(tenant, { clock, maxAgeSeconds: 1_000, cacheSize: 2 });
        let model = new Model();
        const agree = (): void => {
          const view = model.view();
          for (const principal of KEYS) {
            const identity = effectiveIdentity(view, principal, clock.now());
            expect(acl.identityOf(principal)).toEqual(identity);
            expect(other.identityOf(principal)).toEqual(identity);
            const grants = explainGrants(view, principal, { now: clock.now() });
            const explained = acl.explain(principal);
            expect(explained?.map(({ grant }) => grant)).toEqual(grants?.map(({ grant }) => grant));
          }
        };
        for (const { step, undone, looks, passesMs } of courses) {
          const before = model.copy();
          orRefused(() =>
            tenant.transaction(() => {
              step(acl, model, clock.now());
              if (looks) agree();
              if (undone) throw undo;
            }),
          );
          if (undone) model = before;
          clock.advance(passesMs);
          if (looks) agree();
        }
        agree();
        tenant.$client.close();
      }),
      { numRuns: Number(process.env.ACL_SEQUENCES ?? 60) },
    );
  });
});
