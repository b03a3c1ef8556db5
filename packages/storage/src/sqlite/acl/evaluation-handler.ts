import { setImmediate } from "node:timers/promises";
import type { JobHandler } from "@alkdev/honker";
import type { PrincipalKey } from "../../graphs/index.ts";
import type { Acl } from "./acl.ts";
import type { AclEvaluation } from "./acl-context.ts";

/** Identities evaluated without letting other work of the process in between: some milliseconds. */
const AT_ONCE = 50;

/**
 * Handler of the `acl-evaluation` queue: evaluates everybody whom a change may concern, so that their
 * next calls find their identities in the memory of `acl`. It writes nothing, so doing it twice or not at
 * all changes no decision.
 *
 * @example
 * ```ts
 * const source = { db: tenant.$client, entries: tenantCatalog.queues };
 * const worker = openCatalogQueue(source, "acl-evaluation").work(createAclEvaluationHandler(acl));
 * ```
 */
export function createAclEvaluationHandler(acl: Acl): JobHandler<AclEvaluation> {
  return async ({ payload }, { signal }) => {
    const changed = (payload.agentId ?? payload.principalId) as PrincipalKey;
    for (const [done, principal] of acl.affectedBy(changed).entries()) {
      if (done % AT_ONCE === AT_ONCE - 1) await setImmediate(undefined, { signal });
      acl.identityOf(principal);
    }
  };
}
