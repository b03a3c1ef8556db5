import { Type } from "@sinclair/typebox";
import { placeOf } from "../core/call-place.ts";
import type { HubOperation } from "../core/hub-options.ts";
import { query } from "./define-operation.ts";
import { closed, Moment } from "./schemas.ts";

const SpokeSchema = closed({
  name: Type.String(),
  connected: Type.Boolean(),
  since: Moment,
  operations: Type.Array(Type.String()),
});

/** The spokes of a tenant. */
export const spokeOperations: readonly HubOperation[] = [
  query(
    {
      id: "spokes.list",
      description:
        "Lists the spokes that are connected to this hub, or went a moment ago, and the operations that each serves.",
      input: closed({}),
      output: closed({ items: Type.Array(SpokeSchema) }),
      scope: "spokes:read",
    },
    (_, context) => {
      const spokes = placeOf(context).tenant?.spokes.list() ?? [];
      return { items: spokes.map((spoke) => ({ ...spoke, operations: [...spoke.operations] })) };
    },
  ),
];
