import { Value } from "@sinclair/typebox/value";
import { StorageError } from "../../errors.ts";
import { Scope } from "../../graphs/modules/shared-types.ts";
import { readResource } from "../acl/acl-keys.ts";
import { requireWhole } from "../graph-store/reachable.ts";
import type { DelegationTerms } from "./outgoing.ts";

/** The terms alone, checked. @throws StorageError `INVALID_ARGUMENT` */
export function checkedTerms(terms: DelegationTerms): DelegationTerms {
  const { narrowedScopes, narrowedResources, narrowable, expiresAt } = terms;
  if (!Array.isArray(narrowedScopes) || !narrowedScopes.every((it) => Value.Check(Scope, it))) {
    throw new StorageError("INVALID_ARGUMENT", "narrowedScopes must be a list of scopes", {
      hint: "Write graphs:read, or graphs:* for everything below",
      details: { narrowedScopes },
    });
  }
  for (const [resource, actions] of Object.entries(narrowedResources ?? {})) {
    readResource(resource);
    if (Array.isArray(actions) && actions.every((it) => typeof it === "string" && it !== ""))
      continue;
    throw new StorageError("INVALID_ARGUMENT", `actions on "${resource}" must be a list of texts`);
  }
  if (narrowable !== undefined && typeof narrowable !== "boolean") {
    throw new StorageError("INVALID_ARGUMENT", "narrowable must be true or false");
  }
  if (expiresAt !== undefined) requireWhole("expiresAt", expiresAt, [0]);
  return {
    narrowedScopes,
    ...(narrowedResources === undefined ? {} : { narrowedResources }),
    ...(narrowable === undefined ? {} : { narrowable }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

/** Whether these terms are void at that time. */
export function isExpired({ expiresAt }: DelegationTerms, nowMs: number): boolean {
  return expiresAt !== undefined && expiresAt <= nowMs;
}

/** Whether they have been for a day: a clock that ran ahead for a while takes nothing away for good. */
export function isLongExpired(terms: DelegationTerms, nowMs: number): boolean {
  return isExpired(terms, nowMs - DAY_MS);
}

const DAY_MS = 86_400_000;
