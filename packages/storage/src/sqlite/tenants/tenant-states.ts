import { StorageError } from "../../errors.ts";

/**
 * Where a tenant is in its life. `active`, `suspended`, `archived` and `deleting` last; the others are
 * seen while an operation runs, or was killed and waits to be finished or undone.
 */
export const TENANT_STATES = [
  "creating",
  "active",
  "suspended",
  "archiving",
  "archived",
  "unarchiving",
  "deleting",
  "purging",
] as const;

/** One of {@link TENANT_STATES}. */
export type TenantState = (typeof TENANT_STATES)[number];

/** One way from state to state. */
export interface TenantTransition {
  /** States it may start in; empty: there must be no tenant yet. */
  readonly from: readonly TenantState[];
  /** State while it runs, committed before anything is touched; `null`: it is one commit. */
  readonly via: TenantState | null;
  /** State afterwards; `"previous"`: the one it was left from; `null`: the tenant is gone. */
  readonly to: TenantState | "previous" | null;
  /** Whether the state it starts in is kept, for the way back. */
  readonly remembers?: true;
}

/** Every way from state to state. What is not here is refused. */
export const TENANT_TRANSITIONS = {
  create: { from: [], via: "creating", to: "active" },
  import: { from: [], via: "creating", to: "active" },
  clone: { from: [], via: "creating", to: "active" },
  suspend: { from: ["active"], via: null, to: "suspended" },
  resume: { from: ["suspended"], via: null, to: "active" },
  archive: { from: ["active", "suspended"], via: "archiving", to: "archived", remembers: true },
  unarchive: { from: ["archived"], via: "unarchiving", to: "previous" },
  restore: { from: ["archived"], via: "unarchiving", to: "previous" },
  delete: { from: ["active", "suspended", "archived"], via: null, to: "deleting", remembers: true },
  undelete: { from: ["deleting"], via: null, to: "previous" },
  purge: { from: ["deleting"], via: "purging", to: null },
} as const satisfies Readonly<Record<string, TenantTransition>>;

/** Name of one of {@link TENANT_TRANSITIONS}. */
export type TenantTransitionName = keyof typeof TENANT_TRANSITIONS;

/** What may be done to a tenant without changing its state, and in which states. */
export const TENANT_ACCESS = {
  /** Its database may be opened. */
  open: ["active"],
  /** Its file may be migrated where it is; one that is put away is migrated when it is back. */
  migrate: ["active", "suspended"],
  /** It may be exported and cloned. */
  copy: ["active", "suspended", "archived"],
  /** Its quota may be changed. */
  limit: ["active", "suspended", "archived", "deleting"],
  /** An operation is running, or was killed. */
  passing: ["creating", "archiving", "unarchiving", "purging"],
} as const satisfies Readonly<Record<string, readonly TenantState[]>>;

/** State and memory of a tenant after `name`, which leads to a state. */
export function arrival(
  tenant: { readonly state: TenantState; readonly previous: readonly TenantState[] },
  name: Exclude<TenantTransitionName, "purge">,
): { readonly state: TenantState; readonly previous: readonly TenantState[] } {
  const { to, remembers }: Omit<TenantTransition, "to"> & { to: TenantState | "previous" } =
    TENANT_TRANSITIONS[name];
  if (to === "previous") return stepBack(tenant);
  const { state, previous } = tenant;
  return { state: to, previous: remembers === true ? [...previous, state] : previous };
}

/** State and memory of a tenant in the state that it was left from. */
export function stepBack({ previous }: { readonly previous: readonly TenantState[] }): {
  readonly state: TenantState;
  readonly previous: readonly TenantState[];
} {
  return { state: previous.at(-1) ?? "active", previous: previous.slice(0, -1) };
}

/**
 * Refuses `action` on a tenant that is not in one of `allowed` states.
 *
 * @throws {@link StorageError} `TENANT_STATE`, saying which operations lead there
 */
export function requireState(
  tenant: { readonly orgId: string; readonly state: TenantState },
  action: string,
  allowed: readonly TenantState[],
): void {
  const { orgId, state } = tenant;
  if (allowed.includes(state)) return;
  throw new StorageError("TENANT_STATE", `cannot ${action} tenant "${orgId}": it is ${state}`, {
    hint: hintOf(state, allowed),
    details: { orgId, state, action, allowed },
  });
}

function hintOf(state: TenantState, allowed: readonly TenantState[]): string {
  const ways = Object.entries<TenantTransition>(TENANT_TRANSITIONS)
    .filter(([, { from, to }]) => from.includes(state) && to !== null && !allowed.includes(state))
    .map(([name]) => `${name}()`);
  const must = `It must be ${allowed.join(" or ")}`;
  return ways.length === 0
    ? `${must}; try again later`
    : `${must}; from here leads ${ways.join(", ")}`;
}
