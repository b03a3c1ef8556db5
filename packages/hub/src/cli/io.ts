import type { Readable, Writable } from "node:stream";

/** Where the program reads and writes: the process, or streams of a program that embeds it. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly columns?: number };
  readonly stderr: Writable & { readonly columns?: number; readonly isTTY?: boolean };
}
