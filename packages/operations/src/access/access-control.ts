/**
 * Who may call an operation. Everything that is set must hold. Nothing set means: anybody who is known;
 * only `public` opens an operation to callers without an identity.
 */
export interface AccessControl {
  /** Scopes the caller must hold, all of them. */
  readonly requiredScopes: readonly string[];
  /** Scopes of which the caller must hold at least one. */
  readonly requiredScopesAny?: readonly string[];
  /** Kind of resource the caller must hold {@link resourceAction} on. Both or none. */
  readonly resourceType?: string;
  /** What the caller must be allowed to do with the resource. */
  readonly resourceAction?: string;
  /**
   * Where the input names the resource, as a JSON pointer (RFC 6901): `/graphId`. The caller must hold
   * the action on that one, or on `type:*`. Left out, the operation concerns all of the type and only
   * `type:*` will do.
   */
  readonly resourceIdFrom?: string;
  /** Open to everybody, also without an identity. Cannot stand beside a restriction. */
  readonly public?: true;
}
