import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { atomicMutation, query } from "./define-operation.ts";
import { engineOf } from "./engine-of.ts";
import { Count, Cursor, closed, limit, Moment, Name, page, pageOf } from "./schemas.ts";

/** Locks that are held in a file. */
export const lockOperations: readonly HubOperation[] = [
  query(
    {
      id: "locks.list",
      description:
        "Lists the locks that are held now: by whom, until when, with which fencing token.",
      input: closed({ limit: limit(500, 100), cursor: Cursor }),
      output: page(
        closed({ name: Type.String(), owner: Type.String(), token: Count, expiresAt: Moment }),
      ),
      scope: "locks:read",
    },
    ({ limit: most = 100, cursor }, context) => {
      const held = engineOf(context)
        .locks()
        .map((lock) => ({ ...lock, expiresAt: lock.expiresAt.toISOString() }));
      return pageOf(held, ({ name }) => name, { limit: most, cursor });
    },
  ),
  atomicMutation(
    {
      id: "locks.release",
      description:
        "Ends a lock that somebody else holds, for a holder that is known to be gone: name it with the token that `locks.list` shows. A holder that is alive loses it. `released` is false where it is free or somebody else's by now.",
      input: closed({ name: Name, token: Type.Integer({ minimum: 1 }) }),
      output: closed({ released: Type.Boolean() }),
      scope: "locks:write",
    },
    ({ name, token }, context) => {
      const db = engineOf(context);
      const lock = db.lock(name);
      return { released: lock !== null && lock.token === token && db.releaseLock(lock) };
    },
  ),
];
