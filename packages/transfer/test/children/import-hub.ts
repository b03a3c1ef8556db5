import { importPostgres } from "@alkdev/transfer";

/** Imports, and tells about every step of it: its parent kills it at one of them. */
const report = await importPostgres({
  ...JSON.parse(process.argv[2] as string),
  onProgress: (progress) => process.send?.({ progress }),
});
process.send?.({ report });
process.disconnect();
