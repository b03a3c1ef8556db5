// One measurement of one peer, in a process of its own: no driver's machine code is shaped by
// another driver's objects, and what one leaves behind ends with the process.

import type { Measures, RunOptions } from "./bench.ts";
import { benchByName } from "./benches.ts";
import { peerById } from "./peers.ts";
import { runChild } from "./processes.ts";

interface Input {
  readonly bench: string;
  readonly peer: string;
  readonly options: RunOptions;
}

/** How long one measurement may take before it counts as failed. */
const LIMIT_MS = 900_000;

export function measureInChild(input: Input): Promise<Measures> {
  return runChild<Measures>({ module: import.meta.url, name: "measure", input }, LIMIT_MS);
}

export async function measure({ bench, peer, options }: Input): Promise<Measures> {
  return benchByName(bench).run(await peerById(peer), options);
}
