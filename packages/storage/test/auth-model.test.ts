import {
  addMember,
  apiKeys,
  createAccount,
  createApiKey,
  createOrganization,
  removeMember,
  revokeApiKey,
  rotateApiKey,
  StorageError,
  updateAccount,
} from "@alkdev/storage/sqlite";
import { eq } from "drizzle-orm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AuthSetup, authSetup } from "./auth-fixture.ts";

type Step = { readonly what: string; readonly at: number; readonly undone: boolean };

const steps = fc.array(
  fc.record({
    what: fc.constantFrom(
      ...["create", "revoke", "disable", "enable", "rotate", "delete"],
      ...["suspend", "activate", "join", "leave", "wait", "wait back"],
    ),
    at: fc.nat(20),
    undone: fc.boolean(),
  }),
  { maxLength: 30 },
);

interface Issued {
  readonly id: string;
  readonly key: string;
}

/** Does one step; what cannot be done is refused and changes nothing. */
function take({ system, clock }: AuthSetup, issued: Issued[], { what, at }: Step): void {
  const { id } = issued[at % issued.length] as Issued;
  const member = { orgId: "acme", accountId: "ada" };
  const set = (enabled: boolean) =>
    system.update(apiKeys).set({ enabled }).where(eq(apiKeys.id, id)).run();
  const now = clock.now();
  if (what === "create") issued.push(createApiKey(system, { ownerId: "ada", now }));
  else if (what === "revoke") revokeApiKey(system, id, { now });
  else if (what === "disable") set(false);
  else if (what === "enable") set(true);
  else if (what === "rotate") issued.push(rotateApiKey(system, id, { graceSeconds: at, now }));
  else if (what === "delete") system.delete(apiKeys).where(eq(apiKeys.id, id)).run();
  else if (what === "suspend") updateAccount(system, "ada", { changes: { status: "suspended" } });
  else if (what === "activate") updateAccount(system, "ada", { changes: { status: "active" } });
  else if (what === "join") addMember(system, member);
  else if (what === "leave") removeMember(system, member);
  else clock.advance((what === "wait" ? 1 : -1) * at * 1_000);
}

describe("authentication from memory (M41)", () => {
  it("always says what the file says, whatever happened and was undone", {
    timeout: 120_000,
  }, () => {
    const setup = authSetup();
    const { system } = setup;
    createAccount(system, { id: "bob", email: "bob@example.com" });
    createOrganization(system, { id: "acme", name: "Acme", slug: "acme", ownerId: "bob" });
    const limits = { keyLimit: null, failureLimit: null };
    const remembering = setup.authenticator(limits);
    fc.assert(
      fc.property(steps, (sequence) => {
        updateAccount(system, "ada", { changes: { status: "active" } });
        const issued: Issued[] = [createApiKey(system, { ownerId: "ada", now: setup.clock.now() })];
        const compare = (): void => {
          const fresh = setup.authenticator({ ...limits, cacheSize: 0 });
          for (const { key } of issued) {
            expect(remembering.authenticate(key)).toEqual(fresh.authenticate(key));
          }
          fresh.close();
        };
        for (const step of sequence) {
          const before = issued.length;
          try {
            system.transaction(() => {
              take(setup, issued, step);
              compare();
              if (step.undone) throw new Error("undone");
            });
          } catch (error) {
            issued.length = before;
            const isRefusal = error instanceof StorageError;
            if (!isRefusal && (error as Error).message !== "undone") throw error;
          }
          compare();
        }
      }),
      { numRuns: 40 },
    );
  });
});
