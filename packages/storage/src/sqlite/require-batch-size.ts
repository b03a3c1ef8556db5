import { StorageError } from "../errors.ts";

const LARGEST = 10_000;

/** How many rows are handled in one go. @throws StorageError `INVALID_ARGUMENT` */
export function requireBatchSize(batchSize: number): number {
  if (Number.isSafeInteger(batchSize) && batchSize >= 1 && batchSize <= LARGEST) return batchSize;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `batchSize is ${batchSize}, not a whole number from 1 to ${LARGEST}`,
  );
}
