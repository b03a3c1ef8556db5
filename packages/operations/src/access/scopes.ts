/** Text between colons: no spaces, no wildcards inside a name. */
const SCOPE = /^[^\s:*]+(:[^\s:*]+)*$/;

/**
 * Whether a scope that somebody holds covers one that is asked for. Both are compared exactly; a held
 * scope that ends in `*` covers everything below it: `graphs:*` covers `graphs:read` and
 * `graphs:read:own`, but neither `graphs` nor `graphs-archive:read`. `*` alone covers everything.
 *
 * @example
 * ```ts
 * scopeMatches("graphs:*", "graphs:read"); // true
 * scopeMatches("graphs:read", "graphs:*"); // false: a wildcard is given, never asked for
 * ```
 */
export function scopeMatches(held: string, required: string): boolean {
  if (!isConcreteScope(required)) return false;
  if (held === "*" || held === required) return true;
  return held.endsWith(":*") && held.length > 2 && required.startsWith(held.slice(0, -1));
}

/** Whether a text can be asked for as a scope: names joined by `:`, no wildcard, nothing empty. */
export function isConcreteScope(scope: unknown): scope is string {
  return typeof scope === "string" && SCOPE.test(scope);
}
