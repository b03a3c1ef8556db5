import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A fresh folder and a fresh name, so that no measurement meets the rows of another. */
export interface Context {
  readonly folder: string;
  /** Usable as a queue, topic, stream, table and subject name. */
  readonly name: string;
}

let root: string | undefined;
let serial = 0;

/** Folders go to `BENCH_TMP`, by default the system's temporary folder; removed when the process ends. */
export function freshContext(tag: string): Context {
  serial += 1;
  return { folder: freshFolder(tag), name: `${tag}_${process.pid}_${serial}` };
}

export function freshFolder(tag: string): string {
  if (root === undefined) {
    const { BENCH_TMP = tmpdir() } = process.env;
    const made = mkdtempSync(join(BENCH_TMP, "alkdev-bench-"));
    process.on("exit", () =>
      rmSync(made, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
    );
    root = made;
  }
  return mkdtempSync(join(root, `${tag}-`));
}
