import { StorageError } from "../../errors.ts";
import type { TenantDatabase } from "../client.ts";

/** What a {@link TenantHandle} is made of. */
export interface TenantHandleParts {
  readonly orgId: string;
  readonly db: TenantDatabase;
  /** Called once, when the handle is closed. */
  readonly onClose: () => void;
}

/**
 * A tenant's database in use. While it is open the manager keeps the file open; close it when the work
 * is done. Closing ends its listeners and subscriptions. Made by `TenantManager.open()`.
 */
export class TenantHandle implements Disposable {
  readonly orgId: string;
  readonly #db: TenantDatabase;
  readonly #onClose: () => void;
  #closed = false;

  /** @internal Use `TenantManager.open()`. */
  constructor({ orgId, db, onClose }: TenantHandleParts) {
    this.orgId = orgId;
    this.#db = db;
    this.#onClose = onClose;
  }

  /**
   * The tenant's database.
   *
   * @throws {@link StorageError} `CLOSED`
   */
  get db(): TenantDatabase {
    if (!this.#closed) return this.#db;
    throw new StorageError("CLOSED", `this handle of tenant "${this.orgId}" is closed`, {
      hint: "Open the tenant again",
      details: { orgId: this.orgId },
    });
  }

  /** Whether this handle can be used. */
  get isOpen(): boolean {
    return !this.#closed && this.#db.$client.open;
  }

  /** Gives the file back to the manager, which may keep it open for the next one. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#db.$client.close();
    this.#onClose();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
