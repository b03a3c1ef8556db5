import type { OperationSpec } from "@alkdev/operations";
import type { SystemDatabase, TenantManager } from "@alkdev/storage/sqlite";
import type { HubSettings } from "../core/hub-options.ts";
import type { RealmServices } from "../core/realm-services.ts";
import type { Session } from "../core/session.ts";

/** What operations need of the hub that offers them; `HubCore` has it. */
export interface OperationsHost {
  readonly settings: HubSettings;
  readonly system: SystemDatabase;
  readonly tenants: TenantManager;
  /** Tenants that are in use, and their connections. */
  readonly runtimes: { readonly size: number; readonly connections: number };
  readonly services: RealmServices;
  readonly closing: boolean;
  /** Every operation that a session can ask for. */
  specs(session: Session): readonly OperationSpec[];
  /** The specs of the hub itself. */
  ownSpecs(): {
    readonly tenant: readonly OperationSpec[];
    readonly system: readonly OperationSpec[];
  };
}
