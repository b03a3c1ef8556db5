import { type TUnsafe, Type } from "@sinclair/typebox";

/** Who calls, and what they may do. */
export interface Identity {
  /** The account or service, as audit rows name it. */
  readonly id: string;
  /** Scopes held: `graphs:read`, `graphs:*`; see `scopeMatches`. */
  readonly scopes: readonly string[];
  /** Actions by resource `type:id`: `{ "graph:g1": ["read"], "project:*": ["read", "write"] }`. */
  readonly resources?: Readonly<Record<string, readonly string[]>>;
}

/** An {@link Identity} as JSON. */
export const IdentitySchema: TUnsafe<Identity> = Type.Unsafe<Identity>(
  Type.Object(
    {
      id: Type.String({ minLength: 1 }),
      scopes: Type.Array(Type.String()),
      resources: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
    },
    { additionalProperties: false },
  ),
);
