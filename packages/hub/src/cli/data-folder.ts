import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { open } from "@alkdev/honker";
import {
  createSystemDatabase,
  createTenantManager,
  type SystemDatabase,
  type TenantManager,
} from "@alkdev/storage/sqlite";
import { HubError } from "../errors.ts";

/** Name of the system database in a data folder. */
export const SYSTEM_FILE = "system.db";
/** Name of the folder of the tenants' files in a data folder. */
export const TENANTS_FOLDER = "tenants";
/** There while a restore runs, or was killed. */
export const RESTORING_FILE = "restoring.json";

/** Options of {@link DataFolder}. */
export interface DataFolderOptions {
  readonly onError: (error: unknown, context: string) => void;
  /** Of the application's own tables, as drizzle-kit generated it. */
  readonly migrationsFolder?: string;
}

/** The files of a hub, opened when they are needed. A hub may have them open meanwhile. */
export class DataFolder implements Disposable {
  readonly path: string;
  readonly #options: DataFolderOptions;
  #system: SystemDatabase | undefined;
  #tenants: TenantManager | undefined;

  constructor(path: string, options: DataFolderOptions) {
    this.path = resolve(path);
    this.#options = options;
  }

  /** Tables of the application in every tenant; undefined: it has none. */
  get ownTables(): { readonly migrationsFolder: string } | undefined {
    const { migrationsFolder } = this.#options;
    return migrationsFolder === undefined ? undefined : { migrationsFolder };
  }

  /** Where the tenants' files are. */
  get tenantsFolder(): string {
    return join(this.path, TENANTS_FOLDER);
  }

  /** `system.db`. @throws HubError `NOT_FOUND`; what opening it throws */
  get system(): SystemDatabase {
    this.#system ??= this.#open();
    return this.#system;
  }

  /** The tenants. @throws as {@link system} */
  get tenants(): TenantManager {
    const { system, ownTables } = this;
    this.#tenants ??= createTenantManager({
      folder: this.tenantsFolder,
      system,
      onError: this.#options.onError,
      ...(ownTables === undefined ? {} : { ownTables }),
    });
    return this.#tenants;
  }

  /** Refuses a folder without data, without opening it. @throws HubError `NOT_FOUND`, `INVALID_CONFIG` */
  require(): void {
    const { path } = this;
    if (existsSync(join(path, RESTORING_FILE))) {
      throw new HubError("INVALID_CONFIG", `"${path}" is being restored, or a restore was killed`, {
        hint: "Run the same alkdev restore again",
        details: { path },
      });
    }
    if (existsSync(this.#systemFile)) return;
    throw new HubError("NOT_FOUND", `there is no ${SYSTEM_FILE} in "${path}"`, {
      hint: "Make it with alkdev init, or say where it is with --data or ALKDEV_DATA",
      details: { path },
    });
  }

  /** Makes `system.db`, or opens the one that is there. */
  create(): SystemDatabase {
    this.#system ??= createSystemDatabase(open(this.#systemFile));
    return this.#system;
  }

  [Symbol.dispose](): void {
    this.#tenants?.close();
    this.#system?.$client.close();
    this.#tenants = undefined;
    this.#system = undefined;
  }

  get #systemFile(): string {
    return join(this.path, SYSTEM_FILE);
  }

  #open(): SystemDatabase {
    this.require();
    return this.create();
  }
}
