import { answering } from "@alkdev/storage/sqlite";

/**
 * Runs `work`; failures of the engine, whose messages name files, become errors for the caller, also those of
 * a promise.
 *
 * @throws CallError `BUSY`, `STORAGE_FULL`
 */
export function answered<T>(work: () => T | Promise<T>): T | Promise<T> {
  const result = answering(work);
  if (!(result instanceof Promise)) return result;
  return result.catch((error: unknown) =>
    answering((): never => {
      throw error;
    }),
  );
}
