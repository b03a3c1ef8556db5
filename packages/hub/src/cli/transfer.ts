import type { TransferOptions } from "@alkdev/transfer";
import { HubError } from "../errors.ts";
import type { Run } from "./shell.ts";

type Transfer = typeof import("@alkdev/transfer");

/**
 * The package that reads PostgreSQL and Redis: it brings their drivers, so it is installed by those who need
 * it.
 *
 * @throws HubError `NOT_FOUND`
 */
export async function loadTransfer(): Promise<Transfer> {
  try {
    return await import("@alkdev/transfer");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new HubError("NOT_FOUND", "this needs the package @alkdev/transfer", {
      cause: error,
      hint: "Install it beside this one: npm install @alkdev/transfer",
    });
  }
}

/** Progress and the end of a long call, as the command line has them. */
export function transferOptions({ progress, signal }: Run): TransferOptions {
  return {
    signal,
    onProgress: ({ phase, item, done, total }) =>
      progress.update({ label: `${phase} ${item} ${done}`, done, total }),
  };
}
