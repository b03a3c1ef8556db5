import type { Notification, Sequence } from "@alkdev/honker";
import type { TenantContext } from "./tenant-context.ts";
import { TENANT_ACCESS } from "./tenant-states.ts";
import { TENANT_STATE_CHANGED } from "./tenant-table.ts";

/**
 * Closes idle files of tenants that may no longer be opened, whichever process said so: whoever puts a
 * file away or removes it waits for that.
 */
export class StateListener {
  readonly #context: TenantContext;
  readonly #changes: Sequence<Notification>;

  constructor(context: TenantContext) {
    this.#context = context;
    this.#changes = context.system.listen(TENANT_STATE_CHANGED);
    this.#run().catch((error: unknown) => {
      context.onError(error, "listening to the states of tenants");
    });
  }

  close(): void {
    this.#changes.close();
  }

  async #run(): Promise<void> {
    const openable: readonly unknown[] = TENANT_ACCESS.open;
    for await (const { payload } of this.#changes) {
      const { orgId, state } = (payload ?? {}) as { orgId?: unknown; state?: unknown };
      if (typeof orgId === "string" && !openable.includes(state)) this.#context.handles.drop(orgId);
    }
  }
}
