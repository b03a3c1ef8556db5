import { writeSync } from "node:fs";

/** Prints a line at once: what was printed before a SIGKILL is printed. */
export function print(line: string): void {
  writeSync(1, `${line}\n`);
}
